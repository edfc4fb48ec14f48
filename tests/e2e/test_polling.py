# SPDX-License-Identifier: ISC
"""Accounts whose server does not tell of new mail: asked at intervals."""

import statistics

import pytest

import corpus
from clock import Clock
from haul import SLOW, check, until

FAST = 200  # seconds of mailhaul in one of ours
PATIENT = dict(command_timeout="10m", connect_timeout="5m")


def waits(f, c, n):
    """The first n waits between connections, in seconds of mailhaul."""
    f.server.wait_for(lambda: len(f.server.connects) > n, what="a look")
    at = f.server.connects[:n + 1]
    return [(b - a) * c.factor for a, b in zip(at, at[1:])]


@pytest.mark.parametrize("protocol, options", [
    ("imap", dict(watch="poll")),
    ("imap", dict(traits=dict(capa="IMAP4rev1 UIDPLUS"))),
    ("pop3", {})])
def test_it_looks_at_intervals_that_vary(fake, daemon, protocol, options):
    f = fake(protocol, interval="60s", **PATIENT, **options)
    with Clock(FAST) as c, daemon(env=c.env) as d:
        f.box.add(corpus.message(1))
        for n in range(3):
            f.box.add(corpus.message(2 + n))
            got = waits(f, c, 2 * n + 2)
        d.wait_mail(count=4)
        assert d.account()["how"] == "poll"
    check(f.maildir, f.box.octets())
    # a tenth more or less, and what the look itself took on a busy machine
    assert min(got) >= 53 and statistics.median(got) <= 66 + 100 * SLOW, got
    assert max(got) - min(got) > 0.1, got
    assert f.server.most == 1


def test_the_defaults(fake, daemon):
    """Five minutes for IMAP, ten for POP3."""
    i = fake("imap", name="i", watch="poll", **PATIENT)
    p = fake("pop3", name="p", **PATIENT)
    with Clock(1000) as c, daemon(env=c.env):
        got = waits(i, c, 2), waits(p, c, 1)
    assert all(265 <= x <= 330 + SLOW * 300 for x in got[0]), got
    assert all(535 <= x <= 660 + SLOW * 500 for x in got[1]), got


def test_pop3_keeps_to_the_login_delay(fake, daemon):
    f = fake("pop3", interval="10s", traits=dict(login_delay_told=300),
             **PATIENT)
    with Clock(FAST) as c, daemon(env=c.env) as d:
        got = waits(f, c, 1)
        f.box.add(corpus.message(1))
        got = waits(f, c, 2)
        d.wait_mail()
    check(f.maildir, f.box.octets())
    assert all(300 <= x <= 330 + SLOW * FAST for x in got), got


def test_a_login_delay_that_was_broken_is_no_refusal(fake, daemon):
    """Another client has logged in just before."""
    f = fake("pop3", interval="60s", **PATIENT,
             traits=dict(login_answer="-ERR [LOGIN-DELAY] wait 120 seconds"))
    with Clock() as c, daemon(env=c.env) as d:
        s = d.wait_state("a", "throttled")
        assert s["refused"] == 0
        assert s["failures"].keys() == {"throttle"}
        f.traits.clear()
        f.box.add(corpus.message(1))
        c.advance(115)
        assert d.account()["state"] == "throttled"
        c.advance(600)
        d.wait_mail()
        assert d.wait_state("a", "sleeping")["failing_since"] is None
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 2


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_fetch_looks_now(fake, daemon, protocol):
    options = dict(watch="poll") if protocol == "imap" else {}
    f = fake(protocol, interval="1h", **options)
    with daemon() as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        d.command("fetch", "a")
        assert f.maildir.count() == 1
        assert d.account()["state"] == "sleeping"
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 2


def test_fetch_looks_now_where_it_watches(fake, daemon):
    """A server that does not tell, and an answer that waits for the look."""
    f = fake("imap", traits=dict(idle_tells="never"))
    with daemon() as d:
        f.idler()
        f.box.add(corpus.message(1))
        d.command("fetch", "a")
        assert f.maildir.count() == 1
        f.idler()
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 1


def test_a_slow_look_is_not_followed_by_another_at_once(fake, daemon):
    """The interval is from the end of one to the start of the next."""
    def slowly(s, n):
        if n == 0:
            s.p.wait(0.5, octets=False)

    f = fake("pop3", slowly, interval="60s", **PATIENT)
    with Clock(FAST) as c, daemon(env=c.env):
        f.server.wait_for(lambda: len(f.server.connects) == 2)
        assert len(f.server.logins) > 0
        ended = f.sessions[0].p.ended
        assert (f.server.connects[1] - ended) * c.factor >= 53
    until(lambda: not f.server.live())
