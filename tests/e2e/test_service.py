# SPDX-License-Identifier: ISC
"""The daemon under a service manager, or as the first process of a container:
what it is given, what it must say and when, and what it must not need."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import corpus
import model
from haul import CONFIG, OK, SLOW, TOP, family, until

STILL = {"watch": "poll", "interval": "1h"}


# ---- what it says ----

def positions(lines, *starts):
    """Where lines that begin so are, each behind the one before."""
    at, out = -1, []
    for start in starts:
        at = next(i for i, x in enumerate(lines)
                  if i > at and x.startswith(start))
        out.append(at)
    return out


@pytest.mark.parametrize("good", [True, False])
def test_a_reload_is_told_from_its_begin_to_its_end(
        fake, haul, daemon, good):
    """Without READY, systemd would wait for it for ever; with an older time,
    it would take the READY before for this one."""
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        if good:
            haul.change(interval="7m")
        else:
            haul.write_conf("nonsense {")
        before = time.monotonic()
        d.signal(signal.SIGHUP)
        d.notify.wait("READY=1", 2)
        at = d.notify.lines().index("RELOADING=1")
        lines = d.notify.lines()[at:]
        positions(lines, "RELOADING=1", "MONOTONIC_USEC=", "READY=1")
        then = int(lines[1].split("=")[1]) / 1e6
        assert before - 0.1 <= then <= time.monotonic()
        d.wait_log("reloaded" if good else "the running configuration is kept")
        haul.write_conf()


def test_what_it_says_of_itself_is_so(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        d.notify.wait("STATUS=1 account: 1 watching, 0 failing")
        f.server.down()
        d.notify.wait("STATUS=1 account: 0 watching, 1 failing")
        f.server.up()
        d.command("poll", status=None)
        d.notify.wait("STATUS=1 account: 1 watching, 0 failing", 2)
        del haul.accounts["a"]
        haul.write_conf()
        d.command("reload", status=None)
    assert d.notify.lines()[-2:] == ["STOPPING=1", "STATUS=ending"]


def test_an_engine_that_hangs_is_no_sign_of_life(fake, daemon):
    """It is ended, and the watchdog hears of the next one."""
    f = fake("imap")
    with daemon(watchdog_s=3 * SLOW) as d:
        f.idler()
        d.notify.wait("WATCHDOG=1", 2)
        engine = d.pid("engine")
        os.kill(engine, signal.SIGSTOP)
        until(lambda: stopped(engine), 5, "a stop")
        alive = len(d.notify.lines("WATCHDOG=1"))
        d.wait_log("engine: error: has not answered")
        # one answer may have been on its way
        assert len(d.notify.lines("WATCHDOG=1")) <= alive + 1
        f.server.wait_for(lambda: len(f.server.connects) == 2)
        f.idler()
        d.notify.wait("WATCHDOG=1", alive + 3)
        assert d.pid("engine") != engine
        f.box.add(corpus.message(1))
        d.wait_mail()


def stopped(pid):
    with open("/proc/%d/stat" % pid) as f:
        s = f.read()
    return s[s.rindex(")") + 2] == "T"


def test_a_watchdog_of_somebody_else_is_not_fed(fake, daemon):
    """The variables are inherited; so is that of a pid."""
    fake("imap")
    env = {"WATCHDOG_PID": "1", "WATCHDOG_USEC": "300000"}
    with daemon(env=env) as d:
        d.wait_state("a", "watching")
        first = d.notify.lines("WATCHDOG=1")
        d.notify.wait("STATUS=")  # a second later
        assert d.notify.lines("WATCHDOG=1") == first


@pytest.mark.parametrize("where", [
    "/nowhere/to/be/found", "relative", "@mailhaul-nobody-listens",
    "vsock:2:1234", "@", "", "/" + "x" * 200])
def test_a_manager_that_is_not_there_is_done_without(fake, daemon, where):
    f = fake("imap")
    with daemon(notify=False, env={"NOTIFY_SOCKET": where}) as d:
        f.idler()
        f.box.add(corpus.message(1))
        d.wait_mail()


def test_a_manager_is_heard_by_an_abstract_name(fake, daemon):
    fake("imap")
    name = "mailhaul-test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("\0" + name)
        s.settimeout(20 * SLOW)
        with daemon(notify=False, env={"NOTIFY_SOCKET": "@" + name}):
            while s.recv(8192) != b"READY=1":
                pass


def test_a_manager_that_does_not_read_delays_it_only(fake, daemon):
    """A full socket of a manager that hangs: each word waits for a second."""
    f = fake("imap")
    name = "mailhaul-full-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        s.bind("\0" + name)
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                filler.sendto(b"X", "\0" + name)
        with daemon(notify=False, env={"NOTIFY_SOCKET": "@" + name}) as d:
            f.idler()
            f.box.add(corpus.message(1))
            d.wait_mail()


# ---- what it is given ----

def test_a_credential_is_read_and_read_again(fake, haul, daemon):
    path = os.path.join(haul.dir, "credentials")
    os.mkdir(path, 0o700)

    def put(text):
        with open(os.path.join(path, "work"), "w") as f:
            f.write(text)
        os.chmod(os.path.join(path, "work"), 0o444)  # as systemd does

    put(model.PASSWORD)
    f = fake("imap", password=None, password_credential="work")
    with daemon(env={"CREDENTIALS_DIRECTORY": path}) as d:
        f.idler()
        put("another one\n")
        f.make = lambda s, n: setattr(s, "password", "another one")
        f.server.end_all()
        f.idler()
        assert not d.logged("another one")
    with daemon() as d:
        d.wait_state("a", "secret")
        d.wait_log("^a: warning: .*CREDENTIALS_DIRECTORY.*LoadCredential=")


def test_the_state_is_where_the_manager_says(fake, haul, daemon):
    del haul.globals["state-dir"]
    haul.state = os.path.join(haul.dir, "of-systemd")
    f = fake("imap", **STILL)
    f.box.add(corpus.message(1))
    haul.env["STATE_DIRECTORY"] = haul.state
    with daemon() as d:
        d.wait_mail()
        assert d.status()["accounts"][0]["name"] == "a"
        assert os.path.exists(haul.state + "/ledger.sqlite")
        assert os.path.exists(haul.state + "/control")
    assert not os.path.exists(haul.state + "/control")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_needs_no_standard_descriptors(fake, haul, daemon, closed):
    """What is said goes nowhere: not to a server, not into a message."""
    haul.globals["log-level"] = "trace"
    haul.prefix = ["sh", "-c", 'exec "$@" ' + closed, "sh"]
    f = fake("imap", password=None, password_command=[
        "/bin/sh", "-c", "echo %s; echo noise >&2" % model.PASSWORD])
    with daemon() as d:
        f.idler()
        haul.prefix = []
        f.box.add(corpus.message(1))
        d.wait_mail()
        d.kill_role("engine")
        f.server.wait_for(lambda: len(f.server.connects) == 2)
        f.idler()
        for pid in family(d.pid()):
            for fd in range(3):
                to = os.readlink("/proc/%d/fd/%d" % (pid, fd))
                assert to == "/dev/null" or to.startswith("pipe:"), (fd, to)
    assert f.maildir.messages() == [
        corpus.message(1).replace(b"\r\n", b"\n")]


# ---- the first process ----

CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_process_of_a_container(fake, haul, daemon, number):
    """It gets no signal that it does not ask for, and all that is orphaned
    in there is its own."""
    f = fake("imap")
    haul.prefix = CONTAINER
    with daemon(notify=False) as d:
        d.wait_log("mailhaul 0.* starts, pid ")
        f.idler()
        haul.prefix = []
        first = until(lambda: children(d.proc.pid), 5, "a child")[0]
        with open("/proc/%d/status" % first) as s:
            assert re.search(r"^NSpid:\s+\d+\s+1$", s.read(), re.M)
        fake("imap", name="b")
        os.kill(first, signal.SIGHUP)
        d.wait_log("reloaded: 2 accounts, 1 new")
        f.box.add(corpus.message(1))
        d.wait_mail()
        inside = family(first)
        os.kill(first, number)
        assert d.proc.wait(20) == OK
        d.log.thread.join(10)
        assert d.logged("^mailhaul: ended$")
        assert not [p for p in inside if os.path.exists("/proc/%d" % p)]


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(x) for x in f.read().split()]


# ---- the manual ----

def manual():
    """mailhaul.conf(5) as it is printed, without the indentation."""
    r = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=200",
         os.path.join(TOP, "man", "mailhaul.conf.5")],
        check=True, capture_output=True)
    return [x.strip() for x in
            re.sub("(?s).\b", "", r.stdout.decode()).split("\n")]


def section(lines, first, last):
    return lines[lines.index(first) + 1:lines.index(last)]


# names of this machine in place of the manual's
HERE = {"mailadmin": "daemon", "user = mailhaul": "user = nobody",
        "alice": "nobody"}


@pytest.mark.skipif(os.geteuid() != 0, reason="some of it is for root")
def test_the_options_of_the_daemon_are_right_as_printed(fake, haul):
    lines = section(manual(), "The daemon", "SECTIONS")
    examples = [x for x in lines if re.fullmatch(r"[a-z-]+ = \S.*", x)]
    named = {x.split(" ")[0] for x in examples}
    assert named == {
        "control", "control-group", "user", "stop-timeout", "notify-command",
        "notify-after", "metrics", "users", "user-accounts",
        "user-connections", "user-password-command"}
    fake("imap")
    text = "\n".join(examples)
    for old, new in HERE.items():
        text = text.replace(old, new)
    haul.write_conf(haul.conf_text() + text + "\n")
    r = haul.fetch(command="check")
    assert not [x for x in r.err.splitlines() if not re.search(
        "delivers as root|no user|no such|not executable|tell", x)], r


@pytest.mark.skipif(os.geteuid() != 0, reason="some of it is for root")
def test_a_host_of_many_users_is_right_as_printed(haul):
    lines = section(manual(), "EXAMPLES", "SEE ALSO")
    at = next(i for i, x in enumerate(lines) if x.startswith("users = "))
    text = "\n".join(lines[at:lines.index("}", at) + 1]) + "\n"
    secret = os.path.join(haul.dir, "password")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("x\n")
    text = text.replace("/etc/mailhaul/alice.password", secret)
    text = text.replace("run-as = alice", "run-as = nobody")
    haul.write_conf('state-dir = "%s"\n%s' % (haul.state, text))
    r = haul.fetch(command="check")
    assert r.status != CONFIG
