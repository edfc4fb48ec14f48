# SPDX-License-Identifier: ISC
"""A laptop's life: it sleeps, moves, loses its network and its servers. Mail
arrives when they are back; what still works is left alone; nothing is lost
and nothing comes twice."""

import pytest

import corpus
from clock import Clock
from haul import check


@pytest.fixture
def account(net, fake):
    """A watched account whose server is at the other end of the cable."""
    def make(session=None, **options):
        return fake("imap", session, address=net.server,
                    connect_timeout="30s", **options)
    return make


# ---- a machine that sleeps ----

def test_after_a_sleep_each_session_is_asked_whether_it_lives(fake, daemon):
    live, dead = [fake("imap", name=x, interval="1h") for x in ("l", "d")]
    with Clock() as c, daemon(env=c.env) as d:
        a, b = live.idler(), dead.idler()
        for x in "ld":
            d.wait_state(x, "watching")
        b.p.freeze()
        before = a.idles
        c.suspend(3600)
        d.wait_log("was asleep for 3600 s", timeout=2)
        live.server.wait_for(lambda: a.idles > before, 5, "a probe")
        assert len(dead.server.connects) == 1
        dead.box.add(corpus.message(1))
        live.box.add(corpus.message(2))
        d.wait_mail("l")
        c.until(dead.maildir.count, 20, "mail")
        dead.idler()
        assert [d.account(x)["failing_since"] for x in "ld"] == [None] * 2
    check(live.maildir, live.box.octets())
    check(dead.maildir, dead.box.octets())
    assert len(live.server.logins) == 1
    assert len(dead.server.logins) == 2


def test_a_sleep_while_it_fetches(fake, daemon):
    """The server has gone meanwhile: the message is fetched anew."""
    def session(s, n):
        if n > 0:
            return None
        s.greet()
        s.run("UID FETCH *")
        s.p.send(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(m) + m[:500])
        s.p.freeze()
        return True

    m = corpus.message(1, size=5000)
    f = fake("imap", session, command_timeout="10m")
    f.box.add(m)
    with Clock() as c, daemon(env=c.env) as d:
        f.server.wait_for(
            lambda: f.sessions and not f.sessions[0].p.thawed.is_set())
        c.suspend(3600)
        d.wait_log("was asleep")
        c.until(f.maildir.count, 30, "mail")
    check(f.maildir, f.box.octets())


def test_a_poll_that_was_due_while_it_slept(fake, daemon):
    """Its interval has passed on the wall: the user wants his mail now."""
    f = fake("imap", watch="poll", interval="1h")
    with Clock() as c, daemon(env=c.env) as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        c.suspend(7200)
        d.wait_mail(timeout=5)
    check(f.maildir, f.box.octets())


# ---- a network that changes ----

def test_another_address(account, daemon, net):
    """What came from the old one is lost without a word."""
    f = account()
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        net.move()
        f.box.add(corpus.message(1))
        c.until(f.maildir.count, 30, "mail")
        f.server.wait_for(lambda: len(f.server.logins) == 2)
    check(f.maildir, f.box.octets())


def test_a_change_that_harms_nobody(account, daemon, net):
    """A new route, and the connection is the old one."""
    f = account(interval="1h")
    with Clock() as c, daemon(env=c.env) as d:
        s = f.idler()
        d.wait_state("a", "watching")
        net.in_ip("route", "add", "203.0.113.0/24", "via", net.server)
        f.server.wait_for(lambda: s.idles == 2, 10, "a probe")
        c.advance(10)
        f.box.add(corpus.message(1))
        d.wait_mail()
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 1


CUTS = {"black_hole": "restore", "unplug": "plug", "down": "up",
        "no_route": "a_route"}


def again(d, c, within):
    """The session that is there is given up."""
    c.until(lambda: d.logged("connecting again"), within, "an end")


@pytest.mark.parametrize("how", CUTS)
def test_a_cable_that_is_cut_for_a_while(account, daemon, net, how):
    f = account(command_timeout="60s", idle_renew="5m")
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        getattr(net, how)()
        f.box.add(corpus.message(1))
        again(d, c, 300 + 60 + 20)
        c.until(lambda: d.account()["state"] == "backoff", 60)
        assert d.account()["error"]["kind"] == "net"
        getattr(net, CUTS[how])()
        c.until(f.maildir.count, 600, "mail")
        f.idler()
    check(f.maildir, f.box.octets())


def test_a_cable_that_is_back_before_anybody_noticed(account, daemon, net):
    """TCP has kept what was said meanwhile."""
    f = account()
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        net.black_hole()
        f.box.add(corpus.message(1))
        net.restore()
        d.wait_mail()
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 1


def test_back_at_once_when_the_network_is(account, daemon, net):
    """The kernel tells: no backoff is waited for, however long it was."""
    f = account()
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        net.down()
        f.box.add(corpus.message(1))
        again(d, c, 20)
        c.until(lambda: d.account()["failures"].get("net", 0) > 8, 3600,
                "much failure", step=60)
        d.wait_state("a", "backoff")
        net.up()
        d.wait_mail()  # no time passes but ours
        f.idler()
    check(f.maildir, f.box.octets())


# ---- a server that goes and comes ----

def test_a_server_that_is_away_for_a_while(fake, daemon):
    f = fake("imap")
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        f.server.down()
        f.box.add(corpus.message(1))
        c.until(lambda: d.account()["failures"].get("net", 0) > 6, 3600,
                "much failure", step=60)
        d.wait_state("a", "backoff")
        s = d.account()
        assert s["error"]["kind"] == "net" and s["failing"]
        f.server.up()
        c.until(f.maildir.count, 600, "mail", step=60)
        f.idler()
        assert d.wait_state("a", "watching")["error"] is None
        d.wait_log("works again")
    check(f.maildir, f.box.octets())


def test_a_server_that_is_stopped(fake, daemon):
    """As by SIGSTOP: its kernel takes connections, nobody answers."""
    f = fake("imap", command_timeout="60s", idle_renew="5m")
    with Clock() as c, daemon(env=c.env) as d:
        s = f.idler()
        d.wait_state("a", "watching")
        s.p.freeze()
        f.traits["greeting"] = None
        f.box.add(corpus.message(1))
        again(d, c, 300 + 60 + 20)
        c.until(lambda: d.account()["state"] == "backoff", 120)
        f.traits.clear()
        s.p.thaw()
        c.until(f.maildir.count, 600, "mail", step=60)
        f.idler()
    check(f.maildir, f.box.octets())
