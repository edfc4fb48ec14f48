# SPDX-License-Identifier: ISC
"""A daemon whose accounts are on a Cyrus and on a Courier: mail is there at
once where they tell of it, and is found where they do not; they are started
anew, and nothing is lost or comes twice."""

import time

import pytest

import corpus
import courier as courier_module
import cyrus as cyrus_module
from clock import Clock
from haul import SLOW, check, lf, until

SERVERS = {"cyrus": (cyrus_module.Cyrus, "idled"),
           "courier": (courier_module.Courier, True)}
FOLDERS = {"cyrus": ["INBOX", "Lists/*"], "courier": ["INBOX", "INBOX.Lists.*"]}


@pytest.fixture(params=sorted(SERVERS))
def which(request):
    return request.param


@pytest.fixture
def running(which, request):
    """The server that all tests share."""
    return request.getfixturevalue(which)


def server_sessions(d):
    return d.logged("^a: connected to ")


def sleeps(d, delivered):
    """How long it will, from now, when it has delivered so many."""
    def there():
        s = d.account()
        return s["delivered"] == delivered and s["state"] == "sleeping" and s
    return until(there, 20, "sleep")["next"] - time.time()


def tries_again(d, c):
    """What waits for that waits no longer."""
    def tries():
        s = d.account()
        if s["state"] != "backoff":
            return s["state"] in ("fetching", "watching", "sleeping")
        if s["next"]:
            c.advance(max(0, s["next"] - time.time()) + 1)
        time.sleep(0.2)
        return False
    until(tries, 20, "another try")


def told(d, a, message):
    """Cyrus does not tell of what comes in the moment in which IDLE begins
    before it has looked again, seconds later; of more it tells at once."""
    n = a.maildir.count()
    a.box.add(message)
    d.wait_mail(count=n + 1, timeout=cyrus_module.IDLE["idled"] + 10)


# ---- IDLE ----

@pytest.mark.parametrize("after", ["keep", "delete"])
def test_mail_is_there_at_once(
        which, running, account_on, haul, daemon, after):
    haul.globals["log-level"] = "debug"
    a = account_on(running, "imap", after=after)
    mails = corpus.messages(8)
    a.box.add(*mails[:2])
    with daemon() as d:
        s = d.wait_state("a", "watching")
        assert (s["how"], s["watched"], s["delivered"]) == ("idle", 1, 2)
        told(d, a, mails[2])
        for i, m in enumerate(mails[3:6]):
            began = time.monotonic()
            a.box.add(m)
            d.wait_mail(count=4 + i)
            assert time.monotonic() - began < 4 * SLOW
        a.box.add(*mails[6:])  # at one time
        d.wait_mail(count=8)
        if after == "delete":
            until(lambda: a.box.messages() == [], 20, "an empty mailbox")
        assert len(server_sessions(d)) == 1
        until(lambda: d.account()["delivered"] == 8, 20, "eight")
    check(a.maildir, mails)
    if after == "keep":
        assert [lf(m) for m in a.box.messages()] == [lf(m) for m in mails]


def test_each_mailbox_is_watched(which, running, account_on, haul, daemon):
    a = account_on(running, "imap", mailboxes=FOLDERS[which])
    boxes = [a.box, running.box(a.user, "Lists/one"),
             running.box(a.user, "Lists/Grüße")]
    mails = corpus.messages(6)
    for box, m in zip(boxes, mails):
        box.add(m)
    with daemon() as d:
        until(lambda: d.account()["watched"] == 3, 20, "three of them")
        assert a.maildir.count() == 3
        assert d.account()["sessions"] == 3
        for n, (box, m) in enumerate(zip(boxes, mails[3:]), 4):
            box.add(m)
            d.wait_mail(count=n)
    check(a.maildir, mails)


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_the_server_is_started_anew_while_we_wait(
        which, account_on, haul, daemon, after):
    kind, idle = SERVERS[which]
    mails = corpus.messages(6)
    with kind(idle) as server, Clock() as c:
        a = account_on(server, "imap", after=after)
        a.box.add(*mails[:2])
        with daemon(env=c.env) as d:
            d.wait_state("a", "watching")
            for n in (2, 4):
                server.down()
                until(lambda: d.account()["failing"], 20, "a failure")
                server.up()
                a.box.add(mails[n])
                tries_again(d, c)
                d.wait_mail(count=n + 1)
                d.wait_state("a", "watching")
                told(d, a, mails[n + 1])
            if after == "delete":
                until(lambda: a.box.messages() == [], 20, "an empty mailbox")
            d.stop()
            assert len(d.logged("^a: error: ")) == 2, d.log.text()
        check(a.maildir, mails)


# ---- without IDLE ----

@pytest.mark.parametrize("folders", [False, True])
def test_without_idle_it_is_polled(
        which, account_on, haul, daemon, folders):
    kind, _ = SERVERS[which]
    haul.globals["log-level"] = "debug"
    mails = corpus.messages(5)
    with kind(None) as server, Clock() as c:
        a = account_on(server, "imap",
                       mailboxes=FOLDERS[which] if folders else ["INBOX"])
        boxes = [a.box] + [server.box(a.user, "Lists/%d" % i)
                           for i in range(2) if folders]
        a.box.add(mails[0])
        with daemon(env=c.env) as d:
            d.wait_mail()
            for n, m in enumerate(mails[1:], 1):
                assert 200 < sleeps(d, n) < 400
                s = d.account()
                assert (s["how"], s["watched"]) == ("poll", 0)
                boxes[n % len(boxes)].add(m)
                c.advance(sleeps(d, n) + 1)
                d.wait_mail(count=n + 1)
            sleeps(d, 5)
            assert len(server_sessions(d)) == 5
        check(a.maildir, mails)


# ---- POP3 ----

@pytest.mark.parametrize("after", ["keep", "delete"])
def test_pop3_is_polled(which, running, account_on, haul, daemon, after):
    a = account_on(running, "pop3", after=after, interval="5m")
    mails = corpus.messages(5)
    a.box.add(*mails[:2])
    with Clock() as c, daemon(env=c.env) as d:
        for n, m in enumerate(mails[2:], 2):
            assert 200 < sleeps(d, n) < 400
            a.box.add(m)
            c.advance(sleeps(d, n) + 1)
            d.wait_mail(count=n + 1)
        sleeps(d, 5)
    check(a.maildir, mails)
    assert len(a.box.messages()) == (0 if after == "delete" else 5)


def test_a_courier_is_not_called_sooner_than_it_wants(
        courier_account, haul, daemon):
    """Its LOGIN-DELAY is 10 seconds."""
    haul.globals["log-level"] = "debug"
    a = courier_account("pop3", interval="10s")
    with Clock() as c, daemon(env=c.env) as d:
        for n in range(4):
            sleeps(d, n)
            slept = c.monotonic()
            a.box.add(corpus.message(n))
            until(lambda: c.advance(0.5) or
                  len(server_sessions(d)) == n + 2, 20, "a session")
            assert c.monotonic() - slept > 9.5  # seen a moment after
            d.wait_mail(count=n + 1)
    check(a.maildir, corpus.messages(4))


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_server_that_is_away_at_the_start(
        which, account_on, haul, daemon, protocol):
    kind, idle = SERVERS[which]
    with kind(idle) as server, Clock() as c:
        a = account_on(server, protocol)
        a.box.add(corpus.message(1))
        server.down()
        with daemon(env=c.env) as d:
            until(lambda: d.account()["failing"], 20, "a failure")
            server.up()
            tries_again(d, c)
            d.wait_mail()
        check(a.maildir, [corpus.message(1)])
