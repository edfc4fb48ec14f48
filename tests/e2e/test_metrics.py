# SPDX-License-Identifier: ISC
"""The figures that Prometheus asks for: in both of its formats, right, and
harmed by nobody who asks for them in another way."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

import corpus
import dovecot as dovecot_module
from clock import Clock
from haul import CONFIG, MAILHAUL, OK, UNAVAILABLE, until
from mda import script

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
STILL = {"watch": "poll", "interval": "1h"}


class Figures:
    """What was said: .of("mailhaul_held", account="a")."""

    def __init__(self, text, families):
        self.text = text
        self.families = {f.name: f for f in families}
        self.samples = [s for f in self.families.values() for s in f.samples]

    def of(self, name, **labels):
        found = [s.value for s in self.samples if s.name == name and
                 s.labels.items() >= labels.items()]
        assert len(found) == 1, (name, labels, self.text)
        return found[0]

    def account(self, name, account="a", **labels):
        return self.of("mailhaul_" + name, account=account, **labels)


class Metrics:
    """Where they can be had; haul is told."""

    def __init__(self, haul, unix=False):
        self.path = os.path.join(haul.dir, "metrics") if unix else None
        if not unix:
            self.port, = dovecot_module.free_ports(1)
        haul.globals["metrics"] = \
            "unix:" + self.path if unix else "127.0.0.1:%d" % self.port
        haul.write_conf()

    def connect(self):
        if self.path is None:
            return socket.create_connection(("127.0.0.1", self.port), 20)
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.path)
        return s

    def get(self, path="/metrics", accept="*/*"):
        """(status, type, text)"""
        with contextlib.closing(
                http.client.HTTPConnection("localhost")) as c:
            c.sock = self.connect()
            c.request("GET", path, headers={"Accept": accept})
            r = c.getresponse()
            return r.status, r.getheader("Content-Type"), r.read().decode()

    def ask(self):
        status, kind, text = self.get()
        assert status == 200 and kind.startswith("text/plain; version=0.0.4")
        return Figures(text, parser.text_string_to_metric_families(text))

    def until(self, condition, what):
        last = [self.ask()]

        def there():
            last[0] = self.ask()
            return condition(last[0])
        try:
            until(there, 20, what)
        except AssertionError as e:
            raise AssertionError("%s:\n%s" % (e, last[0].text)) from None
        return last[0]


@pytest.fixture(params=["tcp", "unix"])
def each(haul, request):
    return Metrics(haul, request.param == "unix")


@pytest.fixture
def metrics(haul):
    return Metrics(haul)


# ---- the formats ----

NASTY_NAMES = ["grüße", "a'b", "x" * 64]


def test_both_formats_are_as_prometheus_reads_them(
        each, fake, daemon, tmp_path):
    for name in ["a"] + NASTY_NAMES:
        fake("imap", name=name).box.add(corpus.message(1))
    with daemon() as d:
        for name in ["a"] + NASTY_NAMES:
            d.wait_state(name, "watching")
        plain = each.ask()
        status, kind, text = each.get(accept=OPEN)
        assert status == 200
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        opened = Figures(
            text, openmetrics.text_string_to_metric_families(text))
        for figures in (plain, opened):
            for name in ["a"] + NASTY_NAMES:
                assert figures.account("delivered_total", name) == 1
                assert figures.account("up", name) == 1
        assert {s.name for s in plain.samples} == \
            {s.name for s in opened.samples}
        for f in opened.families.values():
            assert f.documentation and f.name.startswith("mailhaul_")
        if shutil.which("promtool"):
            r = subprocess.run(["promtool", "check", "metrics"], text=True,
                               input=plain.text, capture_output=True)
            assert (r.returncode, r.stdout + r.stderr) == (0, "")


def test_only_the_figures_are_there(metrics, fake, daemon):
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        assert metrics.get("/")[0] == 200
        assert metrics.get("/metrics?name[]=x")[0] == 200
        for path in ("/secret", "/metrics/", "/../etc/passwd", "//metrics"):
            assert metrics.get(path)[0] == 404, path
        with contextlib.closing(
                http.client.HTTPConnection("localhost")) as c:
            c.sock = metrics.connect()
            c.request("POST", "/metrics")
            assert c.getresponse().status == 405


# ---- the numbers ----

def test_deliveries_are_counted(each, fake, haul, daemon):
    f, g = fake("imap"), fake("pop3", name="b", interval="1h")
    mails = corpus.messages(7)
    for m in mails[:5]:
        f.box.add(m)
    began = time.time()
    with daemon() as d:
        d.wait_state("a", "watching")
        d.wait_state("b", "sleeping")
        m = each.ask()
        assert m.account("delivered_total") == 5
        assert m.account("delivered_bytes_total") == \
            sum(len(x) for x in mails[:5])
        assert m.account("delivered_total", "b") == 0
        for x in mails[5:]:
            f.box.add(x)
        m = each.until(lambda m: m.account("delivered_total") == 7, "seven")
        assert m.account("delivered_bytes_total") == sum(map(len, mails))
        assert m.of("mailhaul_commit_seconds_count") == 7
        assert m.of("mailhaul_commit_seconds_bucket", le="+Inf") == 7
        assert 0 < m.of("mailhaul_commit_seconds_sum") < 7 * 20
        counts = [s.value for s in m.samples
                  if s.name == "mailhaul_commit_seconds_bucket"]
        assert counts == sorted(counts)
        assert m.account("up") == m.account("up", "b") == 1
        assert m.account("sessions", state="watching") == 1
        assert m.account("sessions", "b", state="sleeping") == 0
        assert m.account("mailboxes", noticed="push") == 1
        assert m.account("mailboxes", noticed="poll") == 0
        assert 0 <= m.account("seconds_since_success") < 30
        assert began - 2 <= m.of("mailhaul_start_time_seconds") <= time.time()
        assert m.of("mailhaul_restarts_total") == 0
        assert m.of("mailhaul_build_info", version=version_of(haul)) == 1
        g.box.add(mails[0])
        d.command("fetch", "b")
        assert each.ask().account("delivered_total", "b") == 1


def version_of(haul):
    r = subprocess.run([MAILHAUL, "--version"], capture_output=True,
                       text=True, check=True)
    return r.stdout.split()[-1]


def test_failures_are_counted_by_their_class(metrics, fake, daemon):
    f = fake("imap", **STILL)
    fake("imap", name="b", traits={
        "login_answer": "NO [AUTHENTICATIONFAILED] Not you"})
    with daemon() as d:
        d.wait_state("a", "sleeping")
        d.wait_state("b", "refused", "backoff")
        m = metrics.ask()
        assert m.account("up") == 1 and m.account("up", "b") == 0
        assert m.account("failures_total", "b", **{"class": "auth"}) == 1
        assert all(s.value == 0 for s in m.samples
                   if s.name == "mailhaul_failures_total" and
                   (s.labels["account"], s.labels["class"]) != ("b", "auth"))
        f.server.down()
        for n in (1, 2):
            d.command("fetch", "a", status=UNAVAILABLE)
            m = metrics.ask()
            assert m.account("failures_total", **{"class": "net"}) == n
            assert m.account("up") == 0
        f.server.up()
        d.command("fetch", "a")
        m = metrics.ask()
        assert m.account("up") == 1
        assert m.account("failures_total", **{"class": "net"}) == 2


def test_what_is_held_is_counted(metrics, fake, daemon, tmp_path):
    refuse = script(tmp_path / "refuse", "exit 65")
    f = fake("imap", mda=[refuse], **STILL)
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_state("a", "sleeping")
        m = metrics.until(lambda m: m.account("held") == 1, "one is held")
        assert m.account("delivered_total") == 0
        assert m.account("up") == 1
        assert m.account("failures_total", **{"class": "message"}) == 1
        assert d.account()["held"] == 1


def test_they_are_there_again_after_the_engine(each, fake, daemon):
    """The socket is kept for it; who asks meanwhile waits."""
    f = fake("imap", **STILL)
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_state("a", "sleeping")
        before = each.ask()
        assert before.account("delivered_total") == 1
        with each.connect():
            d.kill_role("engine")
        after = each.ask()
        assert after.of("mailhaul_restarts_total") == 1
        assert after.of("mailhaul_start_time_seconds") == \
            before.of("mailhaul_start_time_seconds")
        each.until(lambda m: m.account("up") == 1, "it works")
        d.kill_role("deliverer")
        each.until(lambda m: m.of("mailhaul_restarts_total") == 2, "two")
        d.kill_role("engine")
        assert each.ask().of("mailhaul_restarts_total") == 3


def test_accounts_come_and_go_by_a_reload(metrics, fake, haul, daemon):
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        fake("imap", name="b")
        del haul.accounts["a"]
        haul.write_conf()
        d.command("reload")
        m = metrics.until(lambda m: any(
            s.labels.get("account") == "b" for s in m.samples), "b")
        metrics.until(lambda m: not any(
            s.labels.get("account") == "a" for s in m.samples), "no a")
        assert m


# ---- where ----

@pytest.mark.parametrize("where", [
    "0.0.0.0:9099", "[::]:9099", "192.0.2.1:9099", "example.org:9099",
    "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "[fe80::1]:9099", ":9099",
    "unix:relative"])
def test_it_is_for_this_machine_only(fake, haul, where):
    fake("imap")
    haul.globals["metrics"] = where
    haul.write_conf()
    r = haul.fetch(command="check", status=CONFIG)
    assert "metrics" in r.err and haul.conf in r.err


def test_a_port_that_is_taken_is_said(metrics, fake, haul, daemon):
    fake("imap")
    with socket.create_server(("127.0.0.1", metrics.port)):
        d = daemon(ready=False)
        with d:
            d.proc.wait(20)
            text = d.log.text() if d.log.thread.join(10) is None else ""
            assert "metrics" in text and "in use" in text, text
            status = d.proc.returncode
    assert status not in (OK, -11)


def test_a_socket_that_was_left_is_replaced(fake, haul, daemon):
    m = Metrics(haul, unix=True)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(m.path)
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        assert m.ask().account("up") == 1
        d.kill()
    with daemon() as d:
        d.wait_state("a", "watching")
        assert m.ask().account("up") == 1
    assert not os.path.exists(m.path)


# ---- who asks otherwise ----

GARBAGE = [
    b"\0" * 10000, b"GET /" + b"a" * 20000, b"\x16\x03\x01\x02\x00\x01" * 50,
    b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"GET\r\n\r\n",
    b"\r\n" * 10000, b"GET /metrics HTTP/9.9\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /%n%s%00 HTTP/1.0\r\n\r\n",
    b"get /metrics http/1.1\n\n", b"GET  HTTP/1.1\r\n\r\n", b"A" * 8192, b""]


def test_garbage_harms_nobody(each, fake, daemon):
    f = fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        engine = d.pid("engine")
        for octets in GARBAGE:
            with each.connect() as s:
                with contextlib.suppress(ConnectionError):
                    s.sendall(octets)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
            with each.connect() as s:  # and who does not read the answer
                with contextlib.suppress(ConnectionError):
                    s.sendall(octets)
        assert each.ask().account("up") == 1
        f.box.add(corpus.message(1))
        d.wait_mail()
        assert d.pid("engine") == engine
        assert not d.logged("error: (?!what talks)")


def read_all(s):
    got = b""
    with contextlib.suppress(ConnectionError):
        while True:
            data = s.recv(65536)
            if not data:
                break
            got += data
    return got


def test_the_slow_are_sent_away_after_seconds(each, fake, daemon):
    """There is room for so many, and more have to wait; mail does not."""
    f = fake("imap")
    with Clock() as c, daemon(env=c.env) as d, contextlib.ExitStack() as end:
        d.wait_state("a", "watching")
        files = d.files_open("engine")
        many = [end.enter_context(each.connect()) for _ in range(40)]
        slow, others = many[:24], many[24:]
        for s in slow:
            s.sendall(b"GET /metrics HTTP/1.1\r\n")
        for s in others:
            s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        f.box.add(corpus.message(1))
        d.wait_mail()
        assert d.files_open("engine") - files <= 17
        c.advance(6)
        for s in others:
            assert read_all(s).startswith(b"HTTP/1.1 200 OK\r\n")
        c.advance(6)
        for s in slow:
            assert not read_all(s).startswith(b"HTTP/1.1 200")
        until(lambda: d.files_open("engine") <= files, 10, "an end of all")
