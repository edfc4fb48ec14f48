# SPDX-License-Identifier: ISC
"""What a daemon logs: in each format, once, in one line, and no secret."""

import base64
import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

import corpus
import haul as haul_module
import model
from clock import Clock
from haul import SLOW, until

STILL = {"watch": "poll", "interval": "1h"}

HOSTILE = "N\x1b[2J\x1b[31m\x07o\u202e\x7f\t\"x\\\" <0>y' \r\0 \udcff" \
    "} {\"level\":\"error\"} \x1e0a\x1f%s%n" + "z" * 3000


def hostile(text=HOSTILE):
    """As octets: some of them are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def deliveries(d):
    return [json.loads(x) for x in d.log.lines if '"ms":' in x]


def bare(line):
    """What a terminal would act upon."""
    return re.findall("[\0-\x1f\x7f-\x9f\u2028-\u202f]", line)


# ---- text, and lines for the journal ----

@pytest.mark.parametrize("protocol,words", [
    ("imap", "INBOX: delivered uid"), ("pop3", "delivered message")])
def test_a_message_is_a_line(fake, daemon, protocol, words):
    f = fake(protocol)
    mails = corpus.messages(5)
    for m in mails:
        f.box.add(m)
    with daemon() as d:
        d.wait_log("delivered", count=5)
        for n, m in enumerate(mails, 1):
            line, = d.logged("^a: %s %d [(]" % (words, n))
            assert re.fullmatch(r"a: %s %d \(%d octets\) to %s in \d+ ms" % (
                words, n, len(m), re.escape(f.maildir.path)), line.string)
        d.stop()
        assert len(d.logged("delivered")) == 5
        assert not d.logged("^a: (?!.*delivered)")  # and that is all


def test_changes_of_state_are_lines_when_they_are_wanted(
        fake, haul, daemon):
    haul.globals["log-level"] = "debug"
    f = fake("imap", **STILL)
    with daemon() as d:
        d.wait_log("^a: sleeping$")
        f.server.down()
        d.command("poll", status=None)
        d.wait_log("^a: trying again$")
        d.command("pause")
        d.wait_log("^a: paused$")
        haul.change(watch="idle")
        d.command("reload")
        f.server.up()
        d.command("resume")
        d.wait_log(r"^a: watching \(idle\)$")
        assert not d.logged(r"^a: (\w+)\n^a: \1$")


def test_a_session_is_seen_while_it_lasts(fake, haul, daemon):
    """Also one that nobody asked for."""
    haul.globals["log-level"] = "debug"
    f = fake("imap", **STILL)
    go = threading.Event()

    def slowly(s, number):
        if number == 0:
            return None
        s.greet()
        full = s.run("UID FETCH *BODY*")
        go.wait(30)
        s.answer(full)
        s.run()
        return True

    f.make = slowly
    with Clock() as c, daemon(env=c.env) as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        mark = d.mark()
        c.advance(4000)
        d.wait_state("a", "fetching")
        d.wait_log("^a: fetching$", mark)
        assert d.account()["sessions"] == 1
        go.set()
        d.wait_state("a", "sleeping")


REFUSED = "refuses the login|login is refused"
PRIORITIES = {"error": "<3>", "warning": "<4>", "notice": "<5>",
              "info": "<6>"}


def test_lines_for_the_journal_begin_with_their_priority(
        fake, haul, daemon):
    haul.globals["log-format"] = "journal"
    haul.globals["log-level"] = "trace"
    f = fake("imap")
    f.box.add(corpus.message(1))
    refused = fake("imap", name="b")
    refused.traits["login_answer"] = "NO [AUTHENTICATIONFAILED] Not you"
    with daemon() as d:
        d.wait_log("^<6>a: INBOX: delivered uid 1 ")
        d.wait_log("^<3>b: error: the server refuses the login")
        d.wait_log("^<7>a: C: ")
        d.kill_role("engine")
        d.wait_log("^<3>mailhaul: error: the engine")
        d.stop()
        assert d.logged("^<5>mailhaul: ended$")
        for line in d.log.lines:
            p, word = re.match(r"(<\d>)\w+: (\w+)?", line).groups()
            assert p == PRIORITIES.get(word, p), line


# ---- JSON ----

def test_json_is_an_object_per_line(fake, haul, daemon):
    haul.globals["log-format"] = "json"
    f, g = fake("imap", mailboxes=["*"]), fake("pop3", name="b")
    f.boxes["Gr&APwA3w-e"] = model.Box(mails=[corpus.message(1)])
    g.box.add(corpus.message(2))
    fake("imap", name="c").traits["login_answer"] = "NO \"x\" \\"
    before = datetime.datetime.now(datetime.timezone.utc)
    with daemon() as d:
        d.wait_log('"ms"', count=2)
        d.wait_log(REFUSED)
        d.kill_role("engine")
        d.signal(signal.SIGHUP)
        d.wait_log("reloaded")
        d.stop()
        after = datetime.datetime.now(datetime.timezone.utc)
        for line in d.log.lines:
            o = json.loads(line)
            assert set(o) >= {"time", "level", "subject", "message"}
            assert o["level"] in PRIORITIES
            t = datetime.datetime.fromisoformat(o["time"].replace("Z", "+00:00"))
            assert before - datetime.timedelta(0, 1) <= t <= after
        one, = [o for o in deliveries(d) if o["account"] == "a"]
        two, = [o for o in deliveries(d) if o["account"] == "b"]
    assert (one["level"], one["subject"]) == ("info", "a")
    assert one["uid"] == "1" and one["to"] == f.maildir.path
    assert one["mailbox"] in ("Grüße", "Gr&APwA3w-e")
    assert one["size"] == str(len(corpus.message(1)))
    assert 0 <= int(one["ms"]) < 60000
    assert two["mailbox"] == "" and two["number"] == "1" and "uid" not in two
    assert two["size"] == str(len(corpus.message(2)))


# ---- not to standard error ----

class Sink:
    """A datagram socket in a directory that stands in place of one of the
    system, for what is started with .prefix."""

    SCRIPT = """
set -e
if [ "$1" = /dev ]; then
    for f in null zero full random urandom; do
        : >"$2/$f"
        mount --bind "/dev/$f" "$2/$f"
    done
fi
mount --bind "$2" "$1"
shift 2
if [ -n "$AS_JOURNAL" ]; then
    JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
    export JOURNAL_STREAM
fi
exec "$@"
"""

    def __init__(self, place, name):
        if os.geteuid() != 0:
            pytest.skip("a directory in place of %s needs root" % place)
        self.dir = tempfile.mkdtemp(prefix="mh-log-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.prefix = ["unshare", "--mount", "sh", "-c", self.SCRIPT, "sh",
                       place, self.dir]
        self.got = []
        self.listen()

    def listen(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.thread = threading.Thread(target=self.hear, args=[self.sock])
        self.thread.start()

    def hear(self, sock):
        while True:
            data = sock.recv(1 << 16)
            if data == b"":
                return
            self.got.append(data.decode("utf-8", "backslashreplace"))

    def deaf(self):
        """Nobody listens there any more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.path)
        self.thread.join()
        self.sock.close()
        os.unlink(self.path)

    def find(self, pattern):
        return [x for x in list(self.got) if re.search(pattern, x)]

    def wait(self, pattern, count=1):
        until(lambda: len(self.find(pattern)) >= count, 20,
              "%r among %r" % (pattern, self.got))
        return self.find(pattern)[-1]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if os.path.exists(self.path):
            self.deaf()
        shutil.rmtree(self.dir, ignore_errors=True)


def test_syslog_gets_all_and_standard_error_nothing(fake, haul, daemon):
    haul.globals["log-format"] = "syslog"
    haul.globals["log-level"] = "trace"
    f = fake("imap", traits={"greeting": hostile("* OK " + HOSTILE)})
    f.box.add(corpus.message(1))
    with Sink("/dev", "log") as log:
        haul.prefix = log.prefix
        with daemon() as d:
            line = log.wait("delivered")
            assert re.match(  # mail.info
                r"<22>\w+ +\d+ [\d:]+ mailhaul\[%d\]: a: INBOX: delivered "
                r"uid 1 " % d.pid(), line), line
            log.wait("^<23>.*a: C: ")  # what others than it have to say
            d.stop()
            log.wait(r"^<21>.*: mailhaul: ended")
            # the complaints about a file come before it is known
            assert [x for x in d.log.lines if "run-as" not in x and
                    "runs as root" not in x] == []
        for x in log.got:
            assert bare(x.rstrip("\n\0")) == [], x
            assert not model.secrets_in(x.encode()), x


def fields_of(datagram):
    return dict(x.split("=", 1) for x in datagram.rstrip("\n").split("\n"))


def test_the_journal_gets_fields_of_its_own(fake, haul, daemon):
    f = fake("imap", traits={"greeting": hostile("* OK " + HOSTILE)})
    haul.globals["log-level"] = "trace"
    with Sink("/run", "systemd/journal/socket") as journal:
        haul.prefix = journal.prefix
        with daemon(env={"AS_JOURNAL": "1"}) as d:
            f.box.add(corpus.message(1))
            one = fields_of(journal.wait("^MESSAGE=a: INBOX: delivered uid 1"))
            assert one["PRIORITY"] == "6"
            assert one["SYSLOG_IDENTIFIER"] == "mailhaul"
            assert one["MAILHAUL_ACCOUNT"] == one["MAILHAUL_SUBJECT"] == "a"
            assert one["MAILHAUL_UID"] == "1"
            assert one["MAILHAUL_SIZE"] == str(len(corpus.message(1)))
            assert one["MAILHAUL_TO"] == f.maildir.path
            assert one["MAILHAUL_MS"].isdigit()
            assert not d.logged("delivered")
            # while the journal is started anew, there is standard error
            f.idler()
            journal.deaf()
            f.box.add(corpus.message(2))
            d.wait_log("^<6>a: INBOX: delivered uid 2 ")
            journal.listen()
            f.box.add(corpus.message(3))
            journal.wait("delivered uid 3 ")
            d.stop()
            assert not d.logged("delivered uid [13]")
        for x in journal.got:
            fields = fields_of(x)
            assert all(re.fullmatch("[A-Z_]+", k) for k in fields), x
            assert all(bare(v) == [] for v in fields.values()), x
            assert not model.secrets_in(x.encode()), x


def test_a_journal_that_reads_something_else_is_not_meant(
        fake, haul, daemon):
    """JOURNAL_STREAM is inherited by all that a service starts."""
    fake("imap").box.add(corpus.message(1))
    with daemon(env={"JOURNAL_STREAM": "8:12345"}) as d:
        d.wait_log("^a: INBOX: delivered")


def test_a_log_that_nobody_reads_any_more_stops_nothing(
        fake, haul, daemon):
    path = os.path.join(haul.dir, "fifo")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    haul.prefix = ["sh", "-c", 'exec "$@" 2>"$0"', path]
    f = fake("imap")
    with daemon() as d:
        f.idler()
        os.close(reader)
        f.box.add(corpus.message(1))
        d.wait_mail()
        for role in ("engine", "deliverer"):
            d.kill_role(role)
            f.server.wait_for(lambda: len(f.live()) == 1 and f.idler())
        f.box.add(corpus.message(2))
        d.wait_mail(count=2)


# ---- failures ----

def test_a_failure_that_lasts_is_said_hourly_and_its_end_once(
        fake, haul, daemon):
    f = fake("imap")
    f.server.down()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        d.wait_log("^a: error: .*Connection refused")
        until(lambda: c.advance(60) or
              len(d.logged("^a: error: still fails")) == 3, 40, "three hours")
        minutes = [int(m.group(1)) for m in d.logged(
            r"^a: error: still fails, for (\d+) min: .*Connection refused")]
        assert len(minutes) == 3
        for a, b in zip([0] + minutes, minutes):
            assert 60 <= b - a < 85, minutes
        f.server.up()
        until(lambda: c.advance(60) or d.logged("^a: works again"), 20, "end")
        d.wait_state("a", "watching")
        d.stop()
        still = d.logged("^a: error: still fails")
        assert len(still) in (3, 4)  # one more may have been due by now
        assert len(d.logged("^a: error: ")) == 1 + len(still)
        end = d.logged("^a: works again, after ([0-9]+) min")
        assert len(end) == 1
        lasted = int(end[0].group(1))
        assert lasted >= minutes[-1]


def comes(clock, seconds, condition, what):
    """So much time passes, and again if what was to come then was not yet
    waiting for it."""
    def passes():
        clock.advance(seconds)
        end = time.monotonic() + SLOW
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.005)
        return False
    until(passes, 20, what)


def test_failures_that_take_turns_are_said_once_each(fake, haul, daemon):
    haul.globals["log-level"] = "debug"
    f = fake("imap", traits={"login_answer": "NO [UNAVAILABLE] not now"})
    f.server.down()
    with Clock() as c, daemon(env=c.env) as d:  # within an hour, by the wall
        d.wait_log("refused")
        for n in range(1, 6):
            mark = d.mark()
            (f.server.down, f.server.up)[n % 2]()
            words = ("refused", "not now")[n % 2]
            comes(c, 1900, lambda: d.logged("^a: .*" + words, mark), words)
        assert len(d.logged("^a: error: .*refused")) == 1
        assert len(d.logged("^a: error: .*not now")) == 1


# ---- hostile text, and secrets ----

@pytest.mark.parametrize("form", ["text", "journal", "json"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_a_server_says_stays_in_its_line(
        fake, haul, daemon, protocol, form):
    haul.globals["log-format"] = form
    haul.globals["log-level"] = "trace"
    imap = protocol == "imap"
    f = fake(protocol, traits={
        "greeting": hostile(("* OK " if imap else "+OK ") + HOSTILE),
        "login_answer": hostile(
            ("NO [AUTHENTICATIONFAILED] " if imap else "-ERR [AUTH] ") +
            HOSTILE)})
    with daemon() as d:
        d.wait_log(REFUSED)
        d.stop()
        for line in d.log.lines:
            assert bare(line) == [], line
            assert len(line) < 8192
            if form == "json":
                json.loads(line)
            elif form == "journal":
                assert re.match(r"<[3-7]>(a|mailhaul|\S+): ", line), line
        assert [x for x in d.log.lines if "2J" in x]


LOGINS = {"plain": ("imap", "IMAP4rev1 SASL-IR AUTH=PLAIN"),
          "no-ir": ("imap", "IMAP4rev1 AUTH=PLAIN"),
          "login": ("imap", "IMAP4rev1 AUTH=GSSAPI"),
          "pass": ("pop3", "USER\nUIDL"),
          "sasl": ("pop3", "UIDL\nSASL PLAIN")}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("way", sorted(LOGINS))
def test_no_secret_is_told_at_any_level(fake, haul, daemon, way, form):
    """The server repeats what it was told, as some do."""
    haul.globals["log-format"] = form
    haul.globals["log-level"] = "trace"
    protocol, capa = LOGINS[way]
    plain = base64.b64encode(
        ("\0%s\0%s" % (model.USER, model.PASSWORD)).encode()).decode()
    f = fake(protocol, traits={"login_answer": (
        "NO [AUTHENTICATIONFAILED] " if protocol == "imap" else
        "-ERR [AUTH] ") + "%s, or %s, is wrong" % (model.PASSWORD, plain)})
    f.make = lambda s, n: setattr(s, "capa", capa)
    if way == "login":
        f.make = lambda s, n: [setattr(s, "capa", capa), setattr(
            s, "capabilities", lambda: capa)] and None
    with daemon() as d:
        d.wait_log(REFUSED)
        assert d.logged(r"C: \(credentials\)")
        text = json.dumps(d.status()) + d.command("status", status=None).text
        assert not model.secrets_in(text.encode())
        d.stop()
        octets = d.log.text().encode()
        assert not model.secrets_in(octets)
        assert model.PASSWORD.encode() not in octets


def test_a_log_that_nobody_reads_ends_nothing(haul, fake):
    """Not even at the start, when it says what it thinks of the file."""
    fake("imap")
    r, w = os.pipe()
    os.close(r)
    p = subprocess.Popen([haul_module.MAILHAUL, "-c", haul.conf, "run"],
                         stdin=subprocess.DEVNULL, stdout=w, stderr=w)
    os.close(w)
    try:
        until(
            lambda: haul.run(command="status").status == haul_module.OK)
    finally:
        p.terminate()
    assert p.wait(30) == 0
