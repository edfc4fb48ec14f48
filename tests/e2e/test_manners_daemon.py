# SPDX-License-Identifier: ISC
"""How a daemon behaves towards a server that is unwell or wants less of it:
what it says of the account, and how soon it comes back."""

import signal
import threading
import time

import pytest

import corpus
import model
from clock import Clock
from haul import check, until

HOUR = 3600


def next_in(s):
    """So long, in seconds, until the account is tried again."""
    return s["next"] - time.time()


def greeting(text):
    return dict(greeting=text)


def login(text):
    return dict(login_answer=text)


MIN = 60

# what the server says, the state then, the kind of error, and how long at
# least, and at most, it is left alone
SAYS = [
    ("imap", greeting("* BYE too many connections"),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
    ("imap", greeting("* BYE Server shutting down"),
     "backoff", "temp", 15, 31 * MIN),
    ("imap", greeting("* BYE [UNAVAILABLE] down"),
     "backoff", "temp", 15, 31 * MIN),
    ("imap", greeting("HTTP/1.1 400 Bad Request"),
     "backoff", "proto", 5, 31 * MIN),
    ("imap", login("NO [THROTTLED] slower"),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
    ("imap", login("NO [LIMIT] Too many"),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
    ("imap", login("NO [UNAVAILABLE] Temporary failure"),
     "backoff", "temp", 15, 31 * MIN),
    ("imap", login("NO [INUSE] mailbox is in use"),
     "backoff", "locked", 30, 11 * MIN),
    ("imap", login("NO [UNAVAILABLE] Maximum number of connections from "
                   "user+IP exceeded (mail_max_userip_connections=10)"),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
    ("imap", login("BAD Request is throttled. Suggested Backoff Time: "
                   "1200000 milliseconds"),
     "throttled", "throttle", 1200, 1400),
    ("imap", login("* BYE Account exceeded command or bandwidth limits."),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
    ("pop3", login("-ERR [IN-USE] Do you have another POP session running?"),
     "backoff", "locked", 30, 11 * MIN),
    ("pop3", login("-ERR [SYS/TEMP] try later"),
     "backoff", "temp", 15, 31 * MIN),
    ("pop3", login("-ERR [LOGIN-DELAY] wait 900 seconds"),
     "throttled", "throttle", 900, 1000),
    ("pop3", greeting("-ERR too many connections"),
     "throttled", "throttle", 2.5 * MIN, 6 * HOUR),
]


@pytest.mark.parametrize(
    "protocol, traits, state, kind, least, most", SAYS,
    ids=lambda x: next(iter(x.values()))[:30] if isinstance(x, dict) else "")
def test_what_a_server_says_is_heeded(
        fake, daemon, protocol, traits, state, kind, least, most):
    f = fake(protocol, traits=traits)
    with Clock() as c, daemon(env=c.env) as d:
        s = d.wait_state("a", state)
        left = next_in(s)
        assert s["error"]["kind"] == kind and s["failing"], s
        assert least - 2 <= left <= most, s
        assert s["refused"] == 0
        c.advance(left - 5)
        assert d.account()["state"] == state
        assert len(f.server.connects) == 1
        f.traits.clear()
        f.box.add(corpus.message(1))
        c.advance(6)
        d.wait_mail()
        d.wait_log("works again")
        until(lambda: not d.account()["failing"])
    check(f.maildir, f.box.octets())
    assert len(f.server.connects) == 2


@pytest.mark.parametrize("traits, most", [
    (dict(greeting="* BYE go away"), 50),
    (dict(login_answer="NO [UNAVAILABLE] later"), 30),
    (dict(login_answer="NO [LIMIT] too many"), 12),
    (dict(idle_plus_s=None), 60), (dict(idle_bye_s=0), 60)])
def test_connects_in_three_hours(fake, daemon, traits, most):
    """The waits grow: a server that is unwell for long is left alone."""
    f = fake("imap", traits=traits)
    with Clock() as c, daemon(env=c.env):
        f.server.wait_for(lambda: f.server.connects)
        c.pass_by(3 * HOUR)
        assert 2 <= len(f.server.connects) <= most


def test_connects_to_nobody_in_three_hours(fake, daemon):
    """There is no server at all; one line in the log begins it, one a while
    says that it lasts, and one ends it."""
    f = fake("imap")
    f.server.down()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        d.wait_state("a", "backoff")
        c.pass_by(3 * HOUR)
        assert 10 < d.account()["failures"]["net"] <= 60
        f.server.up()
        f.box.add(corpus.message(1))
        c.until(f.maildir.count, 700, "mail")
        d.wait_log("works again, after (1[89][0-9]|20[0-9]) min")
        lines = [x for x in d.log.lines if x.startswith("a: ")]
        assert 2 <= len([x for x in lines if "still fails" in x]) <= 4
        assert len(lines) < 9, lines
    check(f.maildir, f.box.octets())


# ---- a refused login ----

def refused(d, c, f, n=3):
    """Until so many logins were refused in a row."""
    c.until(lambda: len(f.server.logins) >= n, 3 * HOUR, "a login", step=60)
    until(lambda: d.account()["refused"] >= n)
    return d.wait_state("a", "refused")


@pytest.fixture
def wrong(fake):
    """An account with a wrong password, and one with the right one."""
    def make(**kw):
        f = fake("imap", password="wr0ng-Pa55", **kw)
        return f, fake("imap", name="b")
    return make


def test_a_refused_login_is_tried_once_an_hour_at_most(wrong, daemon):
    f, other = wrong()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        first = c.monotonic()
        d.wait_state("a", "backoff", "refused")
        other.idler()
        s = refused(d, c, f)
        assert c.monotonic() - first < HOUR
        assert s["error"]["kind"] == "auth" and s["failing"]
        for n in range(4, 6):
            at = c.monotonic()
            c.until(lambda n=n: len(f.server.logins) >= n, 2 * HOUR,
                    "a login", step=120)
            assert c.monotonic() - at > 3400
            until(lambda n=n: d.account()["refused"] == n)
        other.box.add(corpus.message(1))
        d.wait_mail("b")
        assert len([x for x in d.log.lines if "a: error" in x]) < 8
    check(other.maildir, other.box.octets())


def test_a_refused_login_is_remembered(wrong, daemon):
    """A restart, however hard, is no new chance."""
    f, other = wrong()
    with Clock(wall=True) as c:
        with daemon(env=c.env) as d:
            refused(d, c, f)
            d.kill()
            for _ in range(2):
                d.start()
                assert d.wait_state("a", "refused")["refused"] == 3
                other.idler()
                d.kill()
            d.start()
            c.advance(600)
            d.wait_state("b", "watching")
            assert d.account()["state"] == "refused"
            assert len(f.server.logins) == 3


def test_the_engine_does_not_forget_either(wrong, daemon):
    f, _ = wrong()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        refused(d, c, f)
        d.kill_role("engine")
        until(lambda: d.account()["state"] == "refused")
        d.wait_state("b", "watching")
        assert len(f.server.logins) == 3


@pytest.mark.parametrize("how", ["resume", "reload", "secret", "probe"])
def test_a_refused_login_is_tried_again_when_it_may_be_right(
        wrong, haul, daemon, how):
    f, other = wrong()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        refused(d, c, f)
        session = other.idler()
        f.box.add(corpus.message(1))
        if how == "secret":
            haul.change("a", password=model.PASSWORD)
            d.command("reload")
        else:
            f.traits["password"] = "wr0ng-Pa55"
        if how == "resume":
            d.command("resume", "a")
        elif how == "reload":
            d.command("reload")
        elif how == "probe":
            c.until(f.maildir.count, 2 * HOUR, "mail", step=120)
        d.wait_mail()
        s = d.wait_state("a", "watching")
        assert s["refused"] == 0 and not s["failing"]
        assert [x[2] for x in f.server.logins] == 3 * [False] + [True]
        if how != "probe":  # an hour of steps may well end it
            assert other.idler() is session
    check(f.maildir, f.box.octets())


def test_a_wrong_secret_that_is_replaced_by_another(wrong, haul, daemon):
    f, _ = wrong()
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        refused(d, c, f)
        haul.change("a", password="wr0ng-again")
        d.command("reload")
        f.server.wait_for(lambda: len(f.server.logins) == 4)
        until(lambda: d.account()["refused"] == 1)
        assert d.account()["state"] != "watching"


# ---- many at one host ----

def test_few_connections_to_a_host_at_a_time(fake, haul, daemon):
    """While they connect and fetch; those that watch do not count."""
    haul.globals["max-connections-per-host"] = 2
    busy, most, lock = [0], [0], threading.Lock()

    def session(s, n):
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        fetch = s.do_uid_fetch

        def last(tag, args):
            with lock:  # before the client may know
                busy[0] -= "BODY" in args
            fetch(tag, args)
        s.do_uid_fetch = last

    f = fake("imap", session, name="a0")
    for i in range(1, 12):
        haul.account("a%d" % i, **{
            k: v for k, v in haul.accounts["a0"].items() if k != "maildir"})
    f.box.add(corpus.message(1))
    with daemon() as d:
        for i in range(12):
            d.wait_mail("a%d" % i)
        f.idler(12)
    assert busy == [0] and most[0] <= 2
    assert len(f.server.logins) == f.server.most == 12


# ---- accounts do not harm each other ----

HANGS = ["CAPABILITY", "LOGIN *", "AUTHENTICATE *", "SELECT *",
         "UID SEARCH *", "UID FETCH *", "IDLE", "LIST *"]


def hostile(kind):
    """A session that does it."""
    def session(s, n):
        if kind == "mute":
            s.p.octets(1 << 30)
        if kind == "garbage":
            while True:
                s.p.send(bytes(range(256)) * 64)
        if kind == "endless line":
            while True:
                s.p.send(b"* OK " + b"x" * 65536)
        if kind == "refuses":
            s.login_answer = "NO [AUTHENTICATIONFAILED] no"
            return None
        if kind == "talks":
            s.greet()
            while True:
                s.p.send(b"* OK Still here\r\n" * 100)
                s.p.wait(0.05, octets=False)
        if kind == "drops":
            s.greet()
            s.p.drop("reset")
        s.greet()
        s.run(kind)
        while s.p.more():
            pass
        return True
    return session


KINDS = ["mute", "garbage", "endless line", "refuses", "talks", "drops"]


def test_hostile_servers_do_not_delay_the_mail_of_others(fake, daemon):
    kinds = (HANGS + KINDS) * 2
    bad = [fake("imap", hostile(k), name="bad%d" % i)
           for i, k in enumerate(kinds[:20])]
    for f in bad:
        f.box.add(corpus.message(1))
    good = [fake("imap" if i % 4 else "pop3", name="good%d" % i)
            for i in range(20)]
    for f in good:
        f.box.add(corpus.message(1, size=3000))
    with Clock() as c, daemon(env=c.env) as d:
        for i in range(20):
            d.wait_mail("good%d" % i, timeout=10)
        watching = [f for f in good if f.protocol == "imap"]
        for f in watching:
            f.idler()
        for f in watching:
            f.box.add(corpus.message(2, size=3000))
        for f in watching:
            until(lambda f=f: f.maildir.count() == 2, 2, "mail")
        d.signal(signal.SIGTERM)
        c.until(lambda: d.proc.poll() is not None, 10, "the end")
        d.stop()
    for f in good:
        check(f.maildir, f.box.octets())
    for f in bad:
        assert f.maildir.files("tmp") == []
