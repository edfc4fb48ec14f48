# SPDX-License-Identifier: ISC
"""A daemon is asked and told what to do: status, poll, pause, resume, a fetch
through it; who may, and what harms nobody."""

import contextlib
import json
import os
import re
import signal
import shutil
import socket
import stat
import subprocess
import tempfile

import pytest

import corpus
import model
from haul import MAILHAUL, NOPERM, OK, TEMPFAIL, UNAVAILABLE, USAGE, \
    Maildir, check, until

def names(entries):
    return [a["name"] for a in entries]


# An account that is not looked at by itself for an hour.
STILL = {"watch": "poll", "interval": "1h"}


# ---- status ----

def test_status_tells_of_each_account(fake, haul, daemon):
    f = fake("imap")
    fake("imap", name="b")
    f.box.add(corpus.message(1))
    with daemon() as d:
        a = d.wait_state("a", "watching")
        d.wait_state("b", "watching")
        assert a["how"] == "idle" and a["watched"] == 1
        assert a["delivered"] == a["today"] == 1
        assert a["error"] is None and not a["failing"]
        assert a["last_success"] >= d.status()["daemon"]["started"]
        assert names(d.status()["accounts"]) == ["a", "b"]
        assert names(d.status("b")["accounts"]) == ["b"]
        assert d.status()["daemon"]["pid"] == d.pid()
        r = d.command("status")
        assert "a        watching (idle)" in r.out
        assert "2 accounts\n" in r.out and "restarts" not in r.out


def test_a_table_of_many_long_names_fits_a_narrow_terminal(
        fake, haul, daemon):
    f = fake("imap")
    for i in range(20):
        haul.account("somebody.with.a.long.name.%d@mail.example.org" % i,
                     **haul.accounts["a"] | {"maildir": haul.dir + "/m%d" % i})
    haul.account("z", **haul.accounts["a"] | {
        "password": "not this one", "maildir": haul.dir + "/z"})
    haul.globals["max-connections-per-host"] = 50
    haul.write_conf()
    with daemon() as d:
        f.idler(21)
        z = d.wait_state("z", "refused", "backoff")
        r = d.command("status", env={"COLUMNS": "80"}, status=TEMPFAIL)
        lines = r.out.splitlines()
        table = [x for x in lines if not x.startswith("    ")]
        assert len(table) == 2 + 1 + 22 and max(map(len, table)) <= 80
        at = next(i for i, x in enumerate(lines) if x.startswith("z "))
        assert z["error"]["text"] in lines[at + 1]


def test_watching_the_status_goes_on_until_it_is_interrupted(
        fake, haul, daemon):
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        # it is inherited, and ignored below a shell's "&"
        p = haul.start("--watch", "--json", command="status",
                       preexec_fn=lambda: signal.signal(
                           signal.SIGINT, signal.SIG_DFL))
        first = b""
        while first.count(b'"accounts"') < 2:
            line = p.stdout.readline()
            assert line
            first += line
        assert b"\033" not in first
        p.send_signal(signal.SIGINT)
        haul.finish(p)


@pytest.mark.parametrize("command", [
    "status", "poll", "pause", "resume", "reload"])
def test_without_a_daemon_there_is_nobody_to_ask(fake, haul, command):
    fake("imap")
    r = haul.fetch(command=command, status=UNAVAILABLE)
    assert "no daemon runs" in r.err and "mailhaul run" in r.err
    assert r.out == ""


@pytest.mark.parametrize("command", [
    "status", "poll", "pause", "resume", "fetch"])
def test_an_unknown_account_is_a_wrong_usage(fake, haul, daemon, command):
    fake("imap", name="work")
    with daemon() as d:
        r = d.command(command, "wrok", status=USAGE)
        assert "wrok" in r.err and 'did you mean "work"' in r.err


# ---- poll, pause, resume ----

def test_poll_looks_now(fake, haul, daemon):
    f = fake("imap", **STILL)
    with daemon() as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        d.command("poll", "a")
        d.wait_mail()


def test_a_signal_has_all_looked_at(fake, haul, daemon):
    one, two = fake("imap", **STILL), \
        fake("pop3", name="b", interval="1h")
    with daemon() as d:
        d.wait_state("a", "sleeping")
        d.wait_state("b", "sleeping")
        one.box.add(corpus.message(1))
        two.box.add(corpus.message(2))
        d.signal(signal.SIGUSR1)
        d.wait_mail("a")
        d.wait_mail("b")


def test_a_paused_account_has_no_connection_until_it_is_resumed(
        fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        d.command("pause", "a")
        f.server.wait_for(lambda: not f.server.live(), what="the end")
        assert d.wait_state("a", "paused")["sessions"] == 0
        f.box.add(corpus.message(1))
        r = d.command("poll", "a", status=TEMPFAIL)
        assert "paused" in r.err
        r = d.command("fetch", "a", status=TEMPFAIL)
        assert "paused" in r.err
        assert len(f.server.connects) == 1
        d.command("resume", "a")
        d.wait_mail()
        d.wait_state("a", "watching")


def test_resume_tries_a_password_that_was_refused(fake, haul, daemon):
    path = os.path.join(haul.dir, "password")
    with open(path, "w") as p:
        p.write("wrong\n")
    os.chmod(path, 0o600)
    f = fake("imap", password=None, password_file=path)
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_log("Not you")
        with open(path, "w") as p:
            p.write(model.PASSWORD + "\n")
        d.command("resume", "a")
        d.wait_mail()
        assert not d.account()["failing"]


# ---- a fetch through the daemon ----

def test_a_fetch_goes_through_the_daemon(fake, haul, daemon):
    f = fake("imap", **STILL)
    with daemon() as d:
        d.wait_state("a", "sleeping")
        sent = [f.box.add(corpus.message(i)).octets for i in (1, 2)]
        r = haul.fetch("-v")
        check(f.maildir, sent)
        assert "a: 2 messages" in r.out
        assert d.account()["delivered"] == 2
        assert haul.fetch("--exit-new", status=1).text == ""


@pytest.mark.parametrize("words,status", [
    ("NO [AUTHENTICATIONFAILED] Not you", 77),
    ("NO [UNAVAILABLE] Later", 75)])
def test_a_refused_login_has_the_status_that_it_has_alone(
        fake, haul, daemon, words, status):
    fake("imap", traits={"login_answer": words}, **STILL)
    alone = haul.fetch(status=status)
    with daemon() as d:
        d.wait_log(words.split("] ")[1])
        through = haul.fetch(status=status)
    word = words.split("] ")[1]
    assert word in alone.err and word in through.err


def test_a_server_that_is_away_has_the_status_that_it_has_alone(
        fake, haul, daemon):
    f = fake("imap", **STILL)
    f.server.down()
    alone = haul.fetch(status=UNAVAILABLE)
    with daemon() as d:
        d.wait_log("refused")
        through = haul.fetch(status=UNAVAILABLE)
    assert "refused" in alone.err and "refused" in through.err
    f.server.up()


def test_a_summary_reads_as_it_does_alone(fake, haul, daemon):
    f = fake("imap", **STILL)
    f.box.add(corpus.message(1))
    alone = haul.fetch("-v")
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_mail(count=2)
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        through = haul.fetch("-v")
    seconds = re.compile(r"in [\d.]+ s$", re.MULTILINE)
    assert seconds.search(alone.out)
    assert seconds.sub("", alone.out) == seconds.sub("", through.out)


def test_two_fetches_through_the_daemon_each_get_a_result(
        fake, haul, daemon):
    f = fake("imap", **STILL)
    with daemon() as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        runs = [haul.start("-v") for _ in range(4)]
        for p in runs:
            assert haul.finish(p).status == OK
        check(f.maildir, f.box.octets())


def test_a_message_that_was_too_large_is_fetched_in_full_by_the_daemon(
        fake, haul, daemon):
    f = fake("imap", max_size="4K", **STILL)
    f.box.add(corpus.message(1, size=20000))
    with daemon() as d:
        d.wait_state("a", "sleeping")
        assert f.maildir.count() == 0
        one, = json.loads(d.command("held", "--json").out)
        haul.fetch("--full", "a", one["message"])
        check(f.maildir, f.box.octets())


# ---- messages in trouble ----

@pytest.fixture
def refuser(tmp_path):
    """A program that refuses mail as long as there is .no."""
    class Refuser:
        no = tmp_path / "no"
        out = tmp_path / "accepted"
        argv = ["/bin/sh", "-c", "[ ! -e '%s' ] || { echo not now >&2; "
                "exit 65; }; cat >>'%s'" % (no, out)]
    Refuser.no.touch()
    return Refuser


def test_a_held_message_is_tried_again_at_once_by_the_daemon(
        fake, haul, daemon, refuser):
    f = fake("imap", mda=refuser.argv, **STILL)
    f.box.add(b"a: b\r\n\r\n")
    with daemon() as d:
        one, = until(lambda: json.loads(d.command("held", "--json").out),
                     10, "trouble")
        assert one["state"] == "held"
        assert "not now" in d.command("held", "show", "a", "1").out
        until(lambda: d.account()["held"] == 1, 10, "its count")
        refuser.no.unlink()
        r = d.command("held", "retry", "a", "1")
        assert r.text == ""
        until(refuser.out.exists, 10, "its delivery")
        until(lambda: d.account()["held"] == 0, 10, "its count")
        assert json.loads(d.command("held", "--json").out) == []


def test_a_message_is_dropped_while_the_daemon_runs(
        fake, haul, daemon, refuser):
    f = fake("imap", mda=refuser.argv, **STILL)
    f.box.add(b"a: b\r\n\r\n")
    with daemon() as d:
        until(lambda: d.account()["held"] == 1, 10, "trouble")
        d.command("held", "drop", "a", "1")
        until(lambda: d.account()["held"] == 0, 10, "its count")
        d.command("pause", "a")
        assert d.command("held", "retry").text == ""
    assert not refuser.out.exists()


@pytest.fixture
def open_haul(haul):
    """Where another user gets through."""
    old = haul.dir
    haul.dir = tempfile.mkdtemp(prefix="mh-open-")
    os.chmod(haul.dir, 0o755)
    haul.state = haul.dir + "/state"
    haul.conf = haul.dir + "/mailhaul.conf"
    haul.globals["state-dir"] = haul.state
    yield haul
    shutil.rmtree(haul.dir)
    haul.dir = old


@pytest.mark.skipif(os.getuid() != 0, reason="other users are needed")
def test_what_is_held_for_another_user_is_seen_by_root(
        fake, open_haul, daemon):
    haul = open_haul
    no = haul.dir + "/no"
    open(no, "w").close()
    f = fake("imap", run_as="nobody", mda=[
        "/bin/sh", "-c", "[ ! -e '%s' ] || { echo not now >&2; exit 65; }" %
        no], **STILL)
    g = fake("imap", name="b", mda=["/bin/sh", "-c", "exit 65"], **STILL)
    f.box.add(b"a: b\r\n\r\n")
    g.box.add(b"a: c\r\n\r\n")
    with daemon() as d:
        until(lambda: [d.account(n)["held"] for n in "ab"] == [1, 1], 10,
              "trouble")
        both = json.loads(d.command("held", "--json").out)
        assert sorted(x["account"] for x in both) == ["a", "b"]
        os.unlink(no)
        d.command("held", "retry", "a")
        until(lambda: d.account()["held"] == 0, 10, "its count")
        one, = json.loads(d.command("held", "--json").out)
        assert one["account"] == "b"
    ledger = haul.state + "/users/nobody/ledger.sqlite"
    os.unlink(ledger)
    os.symlink("/etc/shadow", ledger)
    r = d.command("held", status=TEMPFAIL)
    assert ledger in r.err and "b" in r.out  # he harms himself alone


# ---- the state and the socket ----

def test_a_second_daemon_does_not_start(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        r = haul.fetch(command="run", status=TEMPFAIL)
        assert "another mailhaul works on" in r.err
        d.wait_state("a", "watching")


def test_the_socket_is_there_for_its_owner_alone(fake, haul, daemon):
    fake("imap")
    path = os.path.join(haul.state, "control")
    with daemon():
        st = os.stat(path)
        assert stat.S_ISSOCK(st.st_mode)
        assert stat.S_IMODE(st.st_mode) == 0o600
    assert not os.path.exists(path)


def connect(haul):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(os.path.join(haul.state, "control"))
    return s


@pytest.mark.parametrize("said", [
    b"x", b"\x00" * 8, b"\xff" * 60000, b"GET / HTTP/1.0\r\n\r\n"],
    ids=["short", "zeros", "long", "text"])
def test_who_speaks_nonsense_is_dropped_and_nobody_else(
        fake, haul, daemon, said):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        with connect(haul) as s:
            s.send(said)
            with contextlib.suppress(ConnectionResetError):
                while s.recv(65536):
                    pass
        d.wait_state("a", "watching")


def test_clients_that_say_nothing_keep_nobody_out_for_ever(
        fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        crowd = [connect(haul) for _ in range(40)]
        r = d.command("status", status=TEMPFAIL)
        assert "too many clients" in r.err
        for s in crowd:
            s.close()
        until(lambda: haul.run(command="status").status == OK, 10, "room")


def test_a_client_that_vanishes_harms_nobody(fake, haul, daemon):
    f = fake("imap", **STILL)

    def slow(s, n):
        if n == 0:
            return None
        s.greet()
        s.run("SELECT *")
        f.server.note()
        s.p.line()
        return True

    with daemon() as d:
        d.wait_state("a", "sleeping")
        f.make = slow
        p = haul.start()
        f.server.wait_for(lambda: len(f.server.connects) == 2 or
                          any("NOOP" in x for x in f.asked()))
        p.kill()
        p.communicate()
        assert d.status()["daemon"]["pid"] == d.pid()


@pytest.mark.skipif(os.getuid() != 0, reason="other users are needed")
def test_other_users_may_not_ask_unless_they_are_in_the_group(
        fake, haul, daemon, tmp_path):
    """With the socket's rights out of the way, too: then by who they are."""
    f = fake("imap")
    haul.globals["control-group"] = "mail"
    haul.globals["control"] = "/tmp/mh-control-%d/s" % os.getpid()
    haul.write_conf()
    os.mkdir(os.path.dirname(haul.globals["control"]))
    os.chmod(os.path.dirname(haul.globals["control"]), 0o755)
    path = haul.globals["control"]
    conf = os.path.dirname(path) + "/conf"
    with open(haul.conf) as old, open(conf, "w") as new:
        new.write(old.read())
    os.chmod(conf, 0o600)
    os.chown(conf, 65534, 65534)

    def ask(groups):
        return subprocess.run(
            [MAILHAUL, "-c", conf, "status"], capture_output=True, user=65534,
            group=65534, extra_groups=groups, cwd="/", check=False)

    try:
        with daemon() as d:
            f.idler()
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
            assert ask([]).returncode == NOPERM
            os.chmod(path, 0o666)
            refused = ask([])
            assert refused.returncode == NOPERM
            assert b"control-group" in refused.stderr
            assert ask([8]).returncode == OK
            d.wait_state("a", "watching")
    finally:
        for p in (conf, path):
            if os.path.exists(p):
                os.unlink(p)
        os.rmdir(os.path.dirname(path))


# ---- what ends before its time ----

def test_an_engine_that_is_killed_is_started_again_and_counted(
        fake, haul, daemon):
    f = fake("imap")
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_mail()
        f.idler()
        d.kill_role("engine")
        f.box.add(corpus.message(2))
        d.wait_mail(count=2)
        d.wait_state("a", "watching")
        s = d.status()["daemon"]
        assert (s["engine_restarts"], s["deliverer_restarts"]) == (1, 0)
        assert "restarts: engine 1, deliverers 0" in d.command("status").out
        check(f.maildir, f.box.octets())


def test_a_deliverer_that_is_killed_is_started_again_and_counted(
        fake, haul, daemon):
    f = fake("imap")
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_mail()
        d.kill_role("deliverer")
        f.box.add(corpus.message(2))
        d.wait_mail(count=2)
        d.wait_state("a", "watching")
        s = d.status()["daemon"]
        assert (s["engine_restarts"], s["deliverer_restarts"]) == (0, 1)
        check(f.maildir, f.box.octets())


def test_the_children_of_a_daemon_that_is_killed_leave(fake, haul, daemon):
    f = fake("imap")
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_mail()
        d.kill()
    f.box.add(corpus.message(2))
    with daemon() as d:
        d.wait_mail(count=2)
    check(f.maildir, f.box.octets())


def test_an_engine_that_hangs_is_ended_and_started_again(
        fake, haul, daemon):
    f = fake("imap")
    with daemon(watchdog_s=2) as d:
        f.idler()
        old = d.pid("engine")
        d.notify.wait("WATCHDOG=1", 2)
        os.kill(old, signal.SIGSTOP)
        d.wait_log("engine: error: has not answered for")
        until(lambda: d.pids("engine") not in ([], [old]), 10, "another")
        f.idler()
        assert d.status()["daemon"]["engine_restarts"] == 1
        n = len(d.notify.lines("WATCHDOG=1"))
        d.notify.wait("WATCHDOG=1", n + 4)
        assert d.status()["daemon"]["engine_restarts"] == 1


def test_a_fetch_through_a_daemon_that_dies_does_not_hang(
        fake, haul, daemon):
    f = fake("imap", **STILL)
    with daemon() as d:
        d.wait_state("a", "sleeping")
        n = len(f.server.connects)

        def hang(s, _):
            s.greet()
            s.run("SELECT *")
            f.server.note()
            return s.p.octets(1 << 20)
        f.make = hang
        for s in f.live():
            s.push_bye()
        p = haul.start()
        f.server.wait_for(lambda: len(f.server.connects) > n)
        d.kill()
        r = haul.finish(p)
        assert r.status == TEMPFAIL
        assert "went away" in r.err


# ---- the end ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(fake, haul, daemon, number):
    f = fake("imap")
    with daemon() as d:
        s = f.idler()
        d.stop(number)
        assert d.stop_seconds < 5
        assert s.asked[-1].split()[-1] == "LOGOUT"
        assert d.notify.lines("STOPPING=1")


def test_it_does_not_wait_longer_than_stop_timeout(fake, haul, daemon):
    haul.globals["stop-timeout"] = "1s"
    f = fake("imap")
    with daemon() as d:
        f.idler().p.freeze()
        d.stop()
        assert d.logged("stop-timeout")


def test_a_second_signal_ends_it_at_once(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler().p.freeze()
        d.signal(signal.SIGTERM)
        d.wait_log("ending")
        d.stop(status=128 + signal.SIGTERM)
