# SPDX-License-Identifier: ISC
"""Mail given to an MTA by SMTP: a private Exim, and our own server."""

import pytest

import corpus
import exim as exim_module
from haul import OK, TEMPFAIL, check, lf, until
from lmtp_model import (BOB, FULL, OFFERS, for_recipient, held, settle, states,
                        through_data)
from mda import troubles

ANN = "ann@example.org"
# Exim does away with NULs, and ends lines at a bare CR, too
KEPT = ["eight-bit-header", "lone-dots", "final-dot", "from-lines",
        "no-final-newline", "body-only", "imap-talk", "control",
        "no-message-id", "format"]


@pytest.fixture(scope="module", params=["bdat", "data"])
def exim(request):
    e = exim_module.Exim(chunking=request.param == "bdat").start()
    yield e
    e.stop()


@pytest.fixture(scope="module")
def exim_that_tells():
    e = exim_module.Exim(return_path=True).start()
    yield e
    e.stop()


def options(exim, *recipients, **kw):
    return dict(smtp="127.0.0.1:%d" % exim.port,
                recipient=list(recipients) or None, **kw)


users = iter(range(1000))


def somebody(exim):
    name = "user%d" % next(users)
    return name + "@example.org", exim.maildir(name)


def add(f, *mails):
    for m in mails:
        f.box.add(m)
    return list(mails)


def test_exim_delivers_each_octet(fake, haul, exim):
    who, maildir = somebody(exim)
    f = fake("imap", after="delete", **options(exim, who))
    mails = add(f, *corpus.messages(25),
                *[corpus.hostile()[x] for x in KEPT])
    haul.fetch()
    assert f.box.octets() == []
    until(lambda: maildir.count() >= len(mails), what=exim.log())
    # it puts an empty line where there is no header
    check(maildir, [b"\r\n" + m if m.startswith(b"x") else through_data(m)
                    for m in mails])


def test_one_message_for_several_recipients(fake, haul, exim):
    them = [somebody(exim) for _ in range(3)]
    f = fake("pop3", after="delete", **options(exim, *[x for x, _ in them]))
    mails = add(f, *corpus.messages(10))
    haul.fetch()
    for _, maildir in them:
        until(lambda m=maildir: m.count() >= 10, what=exim.log())
        check(maildir, mails)
    assert f.box.octets() == []


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_refusal_deletes_nothing(fake, haul, exim, protocol):
    """fetchmail deletes mail that its MTA refuses. Each kind of refusal: of
    the recipient, of the sender, of the content, and for now."""
    who, maildir = somebody(exim)
    f = fake(protocol, after="delete", **options(
        exim, recipient_header="X-To"))
    head = b"From: %s\r\nX-To: %s\r\n%s\r\nx\r\n"
    good = head % (b"a@x.org", who.encode(), b"")
    refused = [
        head % (b"a@x.org", b"never@example.org", b""),
        head % (b"a@x.org", b"x@elsewhere.example", b""),
        head % (b"a@refused.example", who.encode(), b""),
        head % (b"a@x.org", who.encode(), b"X-Refuse: yes\r\n")]
    later = [head % (b"a@x.org", b"later@example.org", b"")]
    add(f, *refused, *later, good)
    s = haul.fetch(status=TEMPFAIL)
    assert sorted(states(haul)) == ["held"] * 4 + ["later"]
    for words in ("no such user", "relay not permitted", "not today",
                  "refused for its content"):
        assert words in s.text, s
    until(lambda: maildir.count() == 1, what=exim.log())
    assert maildir.messages() == [lf(good)]
    for _ in range(2):
        assert f.box.octets() == refused + later
        held(haul, "retry")
        haul.fetch(status=TEMPFAIL)
    assert f.box.octets() == refused + later
    assert {t["tries"] for t in troubles(haul)} <= {1, 2}


def test_the_envelope(fake, haul, exim_that_tells):
    who, maildir = somebody(exim_that_tells)
    f = fake("imap", **options(exim_that_tells, who))
    senders = [b"", b"a@x.org", b"\"odd one\"@x.org", b"a+b=c@x.org"]
    add(f, *(b"Return-Path: <%s>\r\nSubject: %d\r\n\r\n" % (x, i)
             for i, x in enumerate(senders)))
    haul.fetch()
    until(lambda: maildir.count() == len(senders),
          what=exim_that_tells.log())
    got = {}
    for m in maildir.messages():
        lines = m.split(b"\n")
        paths = [x for x in lines if x.lower().startswith(b"return-path")]
        subject, = [x for x in lines if x.startswith(b"Subject")]
        got[int(subject[9:])] = paths[0].split(b": ")[1]
    assert got[0] == b"<>" and got[1] == b"<a@x.org>"
    assert got[3] == b"<a+b=c@x.org>"
    assert got[2] in (b"<>", b'<"odd one"@x.org>')


# ---- our own server ----

@pytest.mark.parametrize("offer", list(OFFERS))
def test_all_that_a_server_may_offer(fake, relay, haul, offer):
    r = relay(smtp=True, capa=OFFERS[offer])
    f = fake("imap", after="delete", **r.options((ANN, BOB)))
    mails = add(f, *corpus.messages(20))
    haul.fetch()
    r.check(mails, (ANN, BOB))
    assert len(r.sessions) == 1 and r.asked("EHLO")
    assert f.box.octets() == []


def test_a_server_that_knows_no_ehlo(fake, relay, haul):
    r = relay(smtp=True, capa=FULL, lhlo="502 5.5.1 what?")
    f = fake("imap", **r.options())
    mails = add(f, *corpus.messages(3), b"A: b\r\n\r\n.\n.\r\n\xff")
    haul.fetch()
    r.check(mails)
    assert r.asked("HELO")
    assert all(g.how == "DATA" and g.params == [] for g in r.kept)


@pytest.mark.parametrize("body,state", [
    ("250 2.0.0 yes", None), ("451 4.3.0 not now", "later"),
    ("554 5.7.1 no", "held")])
@pytest.mark.parametrize("rcpt", [None, "450 4.2.0 not now", "550 5.1.1 no"])
def test_one_answer_for_all_recipients(
        fake, relay, haul, body, state, rcpt):
    """SMTP answers once, for those whose RCPT was accepted."""
    r = relay(smtp=True, body=body, rcpt=for_recipient({ANN: rcpt}))
    f = fake("imap", after="delete", **r.options((ANN, BOB)))
    mails = add(f, corpus.message(1))
    haul.fetch(status=OK if rcpt is None and state is None else TEMPFAIL)
    want = {None: None, "4": "later", "5": "held"}[rcpt and rcpt[0]]
    worst = "later" if "later" in (state, want) else state or want
    assert states(haul) == ([worst] if worst else [])
    has = [x for x in (ANN, BOB) if r.octets(x)]
    assert has == ([] if state else [BOB] if rcpt else [ANN, BOB])
    assert f.box.octets() == (mails if worst else [])
    r.rules.clear()
    settle(haul)
    if states(haul):
        held(haul, "retry")
        haul.fetch()
    r.check(mails, (ANN, BOB))
    assert f.box.octets() == []


def test_354_although_nobody_is_left(fake, relay, haul):
    """RFC 2920 3.1: what was sent ahead may be answered so. Nobody gets an
    empty message, and the next transaction is whole."""
    for smtp in (True, False):
        for last in ("250 2.0.0 fine", "554 5.5.1 no valid recipients"):
            haul.accounts.clear()
            r = relay(smtp=smtp, data="354 go on", body=lambda s, a: (
                          None if s.recipients else last),
                      rcpt=lambda s, a: "550 5.1.1 no"
                      if s.sender == "sender1@example.org" else None)
            f = fake("imap", name="%s%s" % (smtp, last[:1]), after="delete",
                     **r.options())
            mails = add(f, *corpus.messages(3))
            haul.fetch(status=TEMPFAIL)
            r.check([mails[0], mails[2]])
            assert f.box.octets() == [mails[1]]
            assert len(r.sessions) == 1
            assert b"\r\nDATA\r\n.\r\n" in r.heard()


def test_starttls(fake, relay, haul):
    r = relay(smtp=True, tls="starttls", capa=FULL)
    f = fake("imap", after="delete", **r.options())
    mails = add(f, *corpus.messages(3))
    haul.fetch()
    r.check(mails)
    assert all(g.tls for g in r.kept)
    assert b"MAIL" not in r.sessions[0].p.clear
