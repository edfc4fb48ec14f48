# SPDX-License-Identifier: ISC
"""Mail that arrives while mailhaul watches: IDLE (RFC 2177), and what servers
make of it."""

import imaplib

import pytest

import corpus
import dovecot
import model
from clock import Clock
from haul import check, until

IDLE = "IMAP4rev1 SASL-IR UIDPLUS IDLE"
LIST_STATUS = IDLE + " LIST-STATUS"


def watched(d, mailboxes, sessions, name="a"):
    """Until so many mailboxes are told of by so many sessions."""
    def there():
        s = d.account(name)
        return (s["watched"], s["sessions"]) == (mailboxes, sessions)
    until(there, 20, "watching %d mailboxes by %d sessions" % (
        mailboxes, sessions))


def many(fake, names, **kw):
    """A fake with INBOX and more mailboxes, all of them watched."""
    f = fake("imap", mailboxes=["*"], **kw)
    for name in names:
        f.boxes[name] = model.Box()
    return f


def mails_of(f):
    return [m for b in f.boxes.values() for m in b.octets()]


# ---- on one connection ----

@pytest.mark.parametrize("tls", ["none", "implicit", "starttls"])
def test_mail_comes_on_the_connection_that_idles(fake, daemon, tls):
    f = fake("imap", tls=tls)
    with daemon() as d:
        for n in range(3):
            f.idler()
            f.box.add(corpus.message(n))
            d.wait_mail(count=n + 1)
        f.idler()
        assert d.wait_state("a", "watching")["how"] == "idle"
    check(f.maildir, f.box.octets())
    assert len(f.server.connects) == len(f.server.logins) == 1
    assert len([x for x in f.asked() if " SELECT " in x]) == 1


def test_a_flood_while_it_idles(fake, daemon):
    f = fake("imap", after="delete")
    mails = corpus.messages(100, size=500)
    with daemon() as d:
        f.idler()
        for m in mails:
            f.box.add(m)
        d.wait_mail(count=len(mails))
        f.server.wait_for(lambda: not f.box.mails, what="the removal")
        f.idler()
    check(f.maildir, mails)
    assert len(f.server.connects) == 1


def test_mail_goes_away_while_it_idles(fake, daemon):
    """EXPUNGE by another client: what comes then is the right message."""
    f = fake("imap")
    mails = corpus.messages(4)
    with daemon() as d:
        for m in mails[:3]:
            f.box.add(m)
        d.wait_mail(count=3)
        f.idler()
        for m in list(f.box.mails):
            f.box.remove(m)
        f.box.add(mails[3])
        d.wait_mail(count=4)
        f.idler()
    check(f.maildir, mails)


# ---- where the server says it ----

def at_idle(what):
    """A session that does it when its first IDLE is asked for."""
    def session(s, n):
        do = s.do_idle

        def first(tag, args):
            s.do_idle = do
            what(s)
            return do(tag, args)
        if n == 0:
            s.do_idle = first
    return session


@pytest.mark.parametrize("tells", ["at once", "before", "done"])
def test_mail_that_came_before_idle_began(fake, daemon, tells):
    """EXISTS in front of the "+", behind it, or only when IDLE ends."""
    m = corpus.message(1)
    f = fake("imap", at_idle(lambda s: s.boxes["INBOX"].add(m)),
             traits=dict(idle_tells=tells), idle_renew="60s")
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        if tells == "done":
            d.wait_state("a", "watching")
            c.advance(61)
        d.wait_mail()
        f.idler()
        check(f.maildir, [m])
    assert len(f.server.logins) == 1


@pytest.mark.parametrize("end", ["* 1 EXISTS", ""])
def test_an_idle_that_does_not_end(fake, daemon, end):
    """Nothing, or EXISTS alone, where the tagged answer should be."""
    f = fake("imap", command_timeout="60s", traits=dict(idle_end=end))
    with Clock() as c, daemon(env=c.env) as d:
        s = f.idler()
        f.box.add(corpus.message(1))
        f.server.wait_for(lambda: "DONE" in s.asked, what="DONE")
        f.traits["idle_end"] = None
        c.until(f.maildir.count, 90, "mail")
        f.idler()
        assert d.account()["failing_since"] is None
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 2


def test_still_here_is_nothing_to_talk_about(fake, daemon):
    f = fake("imap", traits=dict(idle_still_s=0.01))
    with daemon() as d:
        s = f.idler()
        before = s.p.sent
        f.server.wait_for(lambda: s.p.sent > before + 10 * len(
            "* OK Still here\r\n"), what="much talk")
        words = [w for x in s.asked for w in x.split()[:2]][-2:]
        assert words[-1] == "IDLE", s.asked
        f.box.add(corpus.message(1))
        d.wait_mail()
        f.idler()
    check(f.maildir, f.box.octets())


@pytest.mark.parametrize("tells", ["at once", "never"])
def test_a_plus_that_never_comes(fake, daemon, tells):
    """With EXISTS in its place, and without."""
    f = fake("imap", command_timeout="60s",
             traits=dict(idle_plus_s=None, idle_tells=tells))
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        f.box.add(corpus.message(1))
        f.traits.clear()
        c.until(f.maildir.count, 90, "mail")
        f.idler()
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 2


@pytest.mark.parametrize("answer", ["NO not today", "BAD what is that?"])
def test_idle_is_refused(fake, daemon, answer):
    f = fake("imap", traits=dict(idle_answer=answer), interval="60s")
    with Clock() as c, daemon(env=c.env) as d:
        assert d.wait_state("a", "sleeping")["how"] == "poll"
        d.wait_log("does not keep IDLE")
        f.box.add(corpus.message(1))
        c.advance(66)
        d.wait_mail()
        d.wait_state("a", "sleeping")
        assert len(d.logged("does not keep IDLE")) == 1
    check(f.maildir, f.box.octets())


def test_idle_ends_at_once(fake, daemon):
    def session(s, n):
        def do_idle(tag, args):
            s.say("+ idling")
            s.say(tag + " OK that was it")
        s.do_idle = do_idle

    f = fake("imap", session, interval="60s")
    with Clock() as c, daemon(env=c.env) as d:
        d.wait_state("a", "sleeping")
        f.box.add(corpus.message(1))
        c.advance(66)
        d.wait_mail()
        d.wait_state("a", "sleeping")
    check(f.maildir, f.box.octets())
    assert len([x for x in f.asked() if " IDLE" in x]) < 10


# ---- how long it lasts ----

def test_idle_is_renewed(fake, daemon):
    f = fake("imap", idle_renew="5m")
    with Clock() as c, daemon(env=c.env) as d:
        s = f.idler()
        for n in range(2, 4):
            d.wait_state("a", "watching")
            c.advance(301)
            f.server.wait_for(lambda n=n: s.idles >= n, what="a renewal")
        f.box.add(corpus.message(1))
        d.wait_mail()
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 1


def test_the_patience_of_a_server_is_learned(fake, daemon):
    f = fake("imap", idle_renew="20m")
    with Clock() as c, daemon(env=c.env) as d:
        s = f.idler()
        d.wait_state("a", "watching")
        c.advance(400)
        s.push_bye("* BYE Autologout; idle for too long")
        d.wait_log("renewed every (29[0-9]|30[0-9]) s")
        c.until(lambda: f.sessions[-1].idling.is_set(), 20, "IDLE")
        s = f.idler()
        d.wait_state("a", "watching")
        c.advance(310)
        f.server.wait_for(lambda: s.idles >= 2, what="a renewal")
        assert d.account()["failures"].keys() <= {"net"}
        assert d.account()["failing_since"] is None
    assert len(f.server.logins) == 2


# ---- nobody tells ----

def test_mail_nobody_tells_of_is_found_and_then_polled_for(fake, daemon):
    f = fake("imap", traits=dict(idle_tells="never"))
    with Clock() as c, daemon(env=c.env) as d:
        for n in range(3):
            f.idler()
            d.wait_state("a", "watching")
            f.box.add(corpus.message(n))
            c.advance(15 * 60 + 1 if n < 2 else 5 * 60 + 1)
            d.wait_mail(count=n + 1)
            if n == 1:
                d.wait_log("does not tell of new mail")
        assert len(d.logged("does not tell of new mail")) == 1
    check(f.maildir, f.box.octets())
    assert len(f.server.logins) == 1


def test_a_server_that_tells_is_not_doubted(fake, daemon):
    f = fake("imap")
    with Clock() as c, daemon(env=c.env) as d:
        for n in range(3):
            s = f.idler()
            d.wait_state("a", "watching")
            idles = s.idles
            f.box.add(corpus.message(n))
            d.wait_mail(count=n + 1)
            f.server.wait_for(lambda: s.idles > idles, what="IDLE")
            d.wait_state("a", "watching")
            idles = s.idles
            c.advance(15 * 60 + 1)
            f.server.wait_for(lambda: s.idles > idles, what="a look")
        assert not d.logged("does not tell of new mail")
    check(f.maildir, f.box.octets())


# ---- many mailboxes ----

@pytest.mark.parametrize("notify", [False, True])
def test_dovecot_tells_of_each_mailbox(account, server, daemon, notify):
    a = account("imap", mailboxes=["*"], notify=notify)
    names = ["INBOX", "A", "B/&AOQ-", '"C c"']
    for x in ("A", "B/ä", "C c"):
        server.box(a.user, x)
    mails = corpus.messages(8)
    with daemon() as d, imaplib.IMAP4("127.0.0.1", server.imap) as c:
        watched(d, 4, 1 if notify else 4)
        assert d.account()["how"] == ("notify" if notify else "idle")
        c.login(a.user, dovecot.PASSWORD)
        for at in (0, 4):  # by a client: NOTIFY tells of nothing else
            for name, m in zip(names, mails[at:]):
                assert c.append(name, None, None, m)[0] == "OK"
            d.wait_mail(count=at + 4, timeout=5)
        watched(d, 4, 1 if notify else 4)
    check(a.maildir, mails)


def test_each_mailbox_has_a_connection_of_its_own(fake, daemon):
    f = many(fake, "ABC", traits=dict(capa=IDLE))
    with daemon() as d:
        watched(d, 4, 4)
        f.idler(4)
        for i, b in enumerate(f.boxes.values()):
            b.add(corpus.message(i))
        d.wait_mail(count=4)
        f.idler(4)
    check(f.maildir, mails_of(f))
    assert len(f.server.logins) == f.server.most == 4


@pytest.mark.parametrize("capa", [IDLE, LIST_STATUS])
def test_mailboxes_without_a_connection_are_asked_about(fake, daemon, capa):
    f = many(fake, "ABCDEF", traits=dict(capa=capa), max_connections=2)
    with Clock() as c, daemon(env=c.env) as d:
        watched(d, 2, 2)
        assert d.account()["polled"] == 5
        f.idler(2)
        asked = len(f.asked())
        for i, b in enumerate(f.boxes.values()):
            b.add(corpus.message(i))
        d.wait_mail(count=2)
        f.idler(2)
        watched(d, 2, 2)
        c.advance(301)
        d.wait_mail(count=7)
        watched(d, 2, 2)
        words = [w for x in f.asked()[asked:] for w in x.split()[1:2]]
    check(f.maildir, mails_of(f))
    if capa == LIST_STATUS:
        assert "STATUS" not in words and "LIST" in words
    else:
        assert words.count("STATUS") >= 5
    assert len(f.server.logins) == f.server.most == 2


def test_asking_about_quiet_mailboxes_is_all_that_is_done(fake, daemon):
    f = many(fake, "ABCDEF", traits=dict(capa=IDLE), max_connections=1)
    with Clock() as c, daemon(env=c.env) as d:
        watched(d, 1, 1)
        s = f.idler()
        d.wait_state("a", "watching")
        asked = len(s.asked)
        c.advance(301)
        f.server.wait_for(lambda: s.asked[-1].startswith("A") and
                          " STATUS " in "".join(s.asked[asked:]) and
                          s.idling.is_set())
        words = [w for x in s.asked[asked:] for w in x.split()[1:2]]
    assert [w for w in words if w != "IDLE"] == 6 * ["STATUS"]


def test_a_server_that_wants_fewer_connections(fake, daemon):
    def session(s, n):
        if n > 1:
            s.login_answer = "NO [LIMIT] Too many simultaneous connections"

    f = many(fake, "ABC", session=session, traits=dict(capa=IDLE),
             interval="60s")
    with Clock() as c, daemon(env=c.env) as d:
        d.wait_log("has no session of its own any more", count=2)
        watched(d, 2, 2)
        for i, b in enumerate(f.boxes.values()):
            b.add(corpus.message(i))
        d.wait_mail(count=2)
        c.until(lambda: f.maildir.count() == 4, 70, "mail")
        assert d.account()["failing_since"] is None
    check(f.maildir, mails_of(f))
    assert len(f.server.logins) == 4


def test_a_mailbox_whose_connection_is_lost(fake, daemon):
    """One session ends, the others go on; its mail comes by the next."""
    f = many(fake, "AB", traits=dict(capa=IDLE))
    with Clock() as c, daemon(env=c.env) as d:
        watched(d, 3, 3)
        f.idler(3)
        lost = [s for s in f.live() if s.box is f.boxes["A"]][0]
        lost.push_bye()
        f.boxes["A"].add(corpus.message(1))
        f.boxes["B"].add(corpus.message(2))
        d.wait_mail(count=1)
        c.until(lambda: f.maildir.count() == 2, 30, "mail")
        watched(d, 3, 3)
    check(f.maildir, mails_of(f))
    assert len(f.server.logins) == 4
