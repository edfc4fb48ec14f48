# SPDX-License-Identifier: ISC
"""What a daemon tells: notify-command, a service manager, metrics."""

import json
import os
import signal
import urllib.request

import pytest

import dovecot as dovecot_module
import model
from haul import names_of, until

STILL = {"watch": "poll", "interval": "1h"}

TELL = """#!/bin/sh
env -u _ | grep -v '^\\(PWD\\|SHLVL\\)=' | sort >"{out}.$$"
mv "{out}.$$" "{out}.$MAILHAUL_EVENT.$$"
"""


class Told:
    """A notify-command that keeps what it is told."""

    def __init__(self, haul, script=TELL):
        self.haul = haul
        self.out = os.path.join(haul.dir, "told")
        path = os.path.join(haul.dir, "tell")
        with open(path, "w") as f:
            f.write(script.replace("{out}", self.out))
        os.chmod(path, 0o755)
        haul.globals["notify-command"] = [path]

    def events(self, event):
        out = []
        for f in sorted(os.listdir(self.haul.dir)):
            if f.startswith("told.%s." % event):
                with open(os.path.join(self.haul.dir, f)) as h:
                    out.append(dict(x.split("=", 1)
                                    for x in h.read().splitlines()))
        return out

    def wait(self, event, n=1):
        return until(lambda: len(self.events(event)) >= n and
                     self.events(event), 10, event)


def test_a_refused_password_is_told_at_once_and_once(fake, haul, daemon):
    told = Told(haul)
    f = fake("imap", traits={"login_answer": "NO [AUTHENTICATIONFAILED] Not"
                             " you"})
    with daemon(env={"SECRET_OF_OURS": "x"}) as d:
        one, = told.wait("failing")
        assert one["MAILHAUL_ACCOUNT"] == "a"
        assert one["MAILHAUL_KIND"] == "auth"
        assert "Not you" in one["MAILHAUL_REASON"]
        assert int(one["MAILHAUL_SINCE"]) > 1e9
        assert "SECRET_OF_OURS" not in one
        assert not [x for x in one.values() if model.PASSWORD in x]
        f.traits.clear()
        d.command("resume")
        back, = told.wait("recovered")
        assert back["MAILHAUL_SINCE"] == one["MAILHAUL_SINCE"]
        assert len(told.events("failing")) == 1


def test_a_server_that_is_away_for_a_moment_is_not_told(fake, haul, daemon):
    told = Told(haul)
    haul.globals["notify-after"] = "1h"
    f = fake("imap")
    with daemon() as d:
        f.idler()
        f.server.down()
        until(lambda: d.account()["failing"], 10, "a failure")
        f.server.up()
        d.command("poll")
        f.idler()
        d.wait_state("a", "watching")
        assert not d.account()["failing"]
    assert told.events("failing") == told.events("recovered") == []


def test_a_server_that_stays_away_is_told(fake, haul, daemon):
    told = Told(haul)
    haul.globals["notify-after"] = "1s"
    f = fake("imap")
    f.server.down()
    with daemon():
        one, = told.wait("failing")
        assert one["MAILHAUL_KIND"] == "net"
        f.server.up()


def test_a_command_that_fails_or_hangs_harms_nobody(fake, haul, daemon):
    told = Told(haul, "#!/bin/sh\necho it is broken >&2\n"
                "[ $MAILHAUL_ACCOUNT = b ] && exec sleep 1000\nexit 3\n")
    refused = {"login_answer": "NO [AUTHENTICATIONFAILED] Not you"}
    fake("imap", traits=refused)
    fake("imap", name="b", traits=refused)
    good = fake("imap", name="c")
    with daemon() as d:
        d.wait_log("a: warning: notify-command .*3.*: it is broken")
        good.idler()
        d.wait_state("c", "watching")
    assert d.stop_seconds < 5 and told.events("failing") == []


def test_a_service_manager_hears_of_each_stage(fake, haul, daemon):
    f = fake("imap")
    with daemon(watchdog_s=1) as d:
        f.idler()
        d.notify.wait("STATUS=1 account: 1 watching, 0 failing")
        d.notify.wait("WATCHDOG=1", 3)
        d.stop()
        lines = d.notify.lines()
        assert lines.index("READY=1") < lines.index("STOPPING=1")
        assert all(pid == d.proc.pid for pid, _ in d.notify.messages)


def test_it_is_ready_although_a_secret_cannot_be_had(fake, haul, daemon):
    fake("imap", password=None, password_command=["/bin/false"])
    with daemon() as d:
        a = d.wait_state("a", "secret")
        assert a["failing"] and a["error"]["kind"] == "auth"
        assert "password-command" in a["error"]["text"]
        assert len(d.logged("waits for its secret")) == 1


def test_prometheus_asks_and_is_answered_after_a_restart_too(
        fake, haul, daemon):
    port, = dovecot_module.free_ports(1)
    haul.globals["metrics"] = "127.0.0.1:%d" % port
    f = fake("imap")

    def ask():
        url = "http://127.0.0.1:%d/metrics" % port
        with urllib.request.urlopen(url, timeout=10) as r:
            return r.read().decode()

    with daemon() as d:
        f.idler()
        d.wait_state("a", "watching")
        first = ask()
        assert 'account="a"' in first
        d.kill_role("engine")
        f.idler()
        d.wait_state("a", "watching")
        assert 'account="a"' in ask()


def test_each_line_of_each_process_is_in_the_format_asked_for(
        fake, haul, daemon):
    """What a deliverer's program, a killed engine and a reload say, too."""
    haul.globals["log-format"] = "json"
    haul.globals["log-level"] = "debug"
    f = fake("imap", mda=["/bin/sh", "-c", "echo trouble >&2; exit 75"])
    f.box.add(b"a: b\r\n\r\n")
    with daemon() as d:
        d.wait_log("trouble")
        d.kill_role("engine")
        f.idler()
        f.box.add(b"a: c\r\n\r\n")
        d.wait_log("trouble", count=3)
        lines = [json.loads(x) for x in list(d.log.lines)]
        assert {x["level"] for x in lines} \
            >= {"debug", "notice", "warning", "error"}
        haul.globals["log-format"] = "text"
        haul.write_conf()
        d.command("reload")
        d.wait_log("^mailhaul: reloaded")
        mark = d.mark()
        d.command("poll")
        f.box.add(b"a: d\r\n\r\n")
        d.wait_log("^a: warning: .*trouble", mark)


def children(pid):
    """By name."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return {name: p for p, name in names_of(
            [int(x) for x in f.read().split()]).items()}


@pytest.mark.skipif(os.getuid() != 0, reason="needs a PID namespace")
def test_as_the_first_process_it_buries_the_orphans(fake, haul, daemon):
    """In a PID namespace of its own, as in a container."""
    f = fake("imap", password=None, password_command=[
        "/bin/sh", "-c", "setsid sleep 1234.5 >/dev/null 2>&1 & echo " +
        model.PASSWORD])
    haul.prefix = ["unshare", "--pid", "--fork", "--kill-child"]
    with daemon(notify=False) as d:
        f.idler()
        first = until(lambda: list(children(d.proc.pid).values()), 10,
                      "number one")[0]
        orphan = until(lambda: children(first).get("sleep 1234.5"), 10,
                       "an orphan")
        os.kill(orphan, signal.SIGKILL)
        until(lambda: not os.path.exists("/proc/%d" % orphan), 10,
              "its burial")
        os.kill(first, signal.SIGTERM)
        d.proc.wait(20)
        assert d.proc.returncode == 0
        d.log.thread.join(10)
        assert d.logged("ended")
