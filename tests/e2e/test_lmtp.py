# SPDX-License-Identifier: ISC
"""Mail given to a server by LMTP: Dovecot's, and our own, which is exact
about octets."""

import contextlib
import itertools
import os
import re
import subprocess
from collections import Counter

import pytest

import corpus
from haul import OK, SLOW, TEMPFAIL, TOP, lf, until
from lmtp_model import (BOB, DATA, FULL, OFFERS, Between, for_recipient, held,
                        settle, states, through_data)
from mda import listed, troubles
from test_fetch import memory

ANN, EVE = "ann@example.org", "eve@example.org"
THREE = (ANN, BOB, EVE)


def same(have, want):
    """Each once, in any order; or else the first that differs."""
    have, want = Counter(have), Counter(want)
    more, less = list(have - want), list(want - have)
    assert (more, less) == ([], []), "\nhere %r\nnot %r" % (
        more[:1], less[:1])
    return True


def add(f, *mails):
    for m in mails:
        f.box.add(m)
    return list(mails)


# ---- Dovecot ----

FRONT = re.compile(rb"Return-Path: .*\nDelivered-To: .*\n"
                   rb"Received: .*\n(\t.*\n)*")
KEPT = ["eight-bit-header", "lone-dots", "final-dot", "from-lines",
        "no-final-newline", "headers-only", "body-only", "mbox-in-body",
        "long-header-line", "many-newlines", "imap-talk", "control"]


def stored(server, user):
    """What Dovecot has, without what it put in front."""
    out = []
    for m in server.box(user).messages():
        front = FRONT.match(m)
        assert b"Delivered-To: " + user.encode() in front.group()
        out.append(m[front.end():])
    return sorted(out)


@pytest.fixture
def somebody(server):
    user = server.user() + "@example.org"
    server.box(user)
    return user


@pytest.mark.parametrize("how", ["socket", "port", "no-chunking"])
def test_dovecot_has_each_octet(fake, server, haul, somebody, how):
    mails = corpus.messages(30) + [corpus.hostile()[x] for x in KEPT]
    without = how == "no-chunking"
    with Between(server.lmtp, lambda x: x.replace(
            b"250-CHUNKING\r\n", b"") if without else x) as between:
        f = fake("imap", after="delete", recipient=[somebody],
                 lmtp="unix:" + server.lmtp_socket if how == "socket"
                 else "127.0.0.1:%d" % between.port)
        add(f, *mails)
        haul.fetch()
        assert same(stored(server, somebody), [
            lf(through_data(m)) for m in mails])
        assert f.box.octets() == []
        if how != "socket":  # one connection; octets as they are if it may
            assert between.heard().count(b"LHLO ") == 1
            assert (b"\nBDAT " in between.heard()) == (not without)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_dovecot_knows_no_such_user(fake, server, haul, protocol):
    f = fake(protocol, after="delete", recipient=["unknown@example.org"],
             lmtp=server.lmtp_socket)
    mails = add(f, *corpus.messages(3))
    r = haul.fetch(status=TEMPFAIL)
    assert states(haul) == ["held"] * 3
    assert "550 5.1.1" in r.text and "unknown@example.org" in r.text
    assert "5.1.1" in troubles(haul)[0]["reason"]
    haul.fetch()
    assert f.box.octets() == mails
    # the user's mistake is mended
    haul.change(recipient=["known%s@example.org" % protocol])
    server.box("known%s@example.org" % protocol)
    held(haul, "retry")
    haul.fetch()
    assert stored(server, "known%s@example.org" % protocol) == sorted(
        lf(m) for m in mails)
    assert f.box.octets() == [] and states(haul) == []


def test_dovecot_has_no_room(fake, server, haul):
    user = "small@example.org"
    box = server.box(user)
    for name in os.listdir(os.path.join(box.path, "new")):
        os.unlink(os.path.join(box.path, "new", name))
    small, large = corpus.message(1, size=300), corpus.message(2, size=9000)
    f = fake("imap", after="delete", lmtp=server.lmtp_socket,
             recipient=[user])
    add(f, large, small)
    r = haul.fetch(status=TEMPFAIL)
    assert states(haul) == ["later"] and "452 4.2.2" in r.text
    assert stored(server, user) == [lf(small)]  # it waits for nobody
    assert f.box.octets() == [large]
    haul.fetch(status=None)  # not yet
    assert [t["tries"] for t in troubles(haul)] == [1]
    haul.change(recipient=["large@example.org"])
    server.box("large@example.org")
    held(haul, "retry")
    haul.fetch()
    assert stored(server, "large@example.org") == [lf(large)]
    assert f.box.octets() == []


def test_dovecot_fails_for_now(fake, server, haul, somebody):
    box = server.box(somebody)
    os.rename(box.path, box.path + ".away")
    with open(box.path, "w") as h:
        h.write("no Maildir")
    f = fake("imap", after="delete", lmtp="127.0.0.1:%d" % server.lmtp,
             recipient=[somebody])
    mails = add(f, corpus.message(1))
    haul.fetch(status=TEMPFAIL)
    assert states(haul) == ["later"]
    assert f.box.octets() == mails
    os.unlink(box.path)
    os.rename(box.path + ".away", box.path)
    settle(haul)
    assert stored(server, somebody) == [lf(m) for m in mails]


def test_the_example_of_the_manual(fake, server, haul):
    """As printed, but for where things are, and the password."""
    with open(os.path.join(TOP, "man", "mailhaul.conf.5")) as h:
        text = h.read()
    block = text[text.index("account lmtp {"):]
    block = block[:block.index(".Ed")].replace("\\e", "\\")
    f = fake("imap", trace=None)
    mails = add(f, *corpus.messages(5))
    secret = os.path.join(haul.dir, "password")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as h:
        h.write("s3cret-Pa55")
    for old, new in (
            ("host = imap.example.org", "host = 127.0.0.1\n    port = %d\n"
             "    tls = none" % f.server.port),
            ('"~/.config/mailhaul/work.password"', '"%s"' % secret),
            ("/run/dovecot/lmtp", server.lmtp_socket)):
        assert block.count(old) == 1, block
        block = block.replace(old, new)
    server.box("alice@example.org")
    haul.write_conf('state-dir = "%s"\n' % haul.state + block)
    haul.fetch()
    got = server.box("alice@example.org").messages()
    assert len(got) == len(mails)
    for m in got:  # with the traces of both
        assert b"Delivered-To: alice@example.org\n" in m
        assert b"\nX-Mailhaul: account=lmtp mailbox=INBOX uid=" in m
        assert m.count(b"\nDelivered-To: alice") + m.startswith(
            b"Delivered-To: alice") == 1
        assert any(m.endswith(b"\n" + lf(x)) for x in mails)


# ---- octets ----

DOTS = [
    b"From: x\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\r\n", b".\r\n", b".",
    b"\r\n.", b"a\r\n.", b"x\r\n.\r\nMAIL FROM:<evil@x>\r\n",
    # whoever takes more than CRLF for a line's end sees no lone dot
    b"A: b\r\n\r\nx\n.\nMAIL FROM:<evil@x>\n", b"A: b\n.\r\nQUIT\r\n",
    b"A: b\r\n\r\nx\r.\rRSET\r", b"A: b\r\n\r\nx\r\n.\rx\r.\r\nRSET\r\n",
    b"A: b\r\n\r\nx\r\r\n.\r\r\nDATA\r\n", b"\n.\n", b"\r.\r", b"\n\r\n.\n",
    b"A: b\r\n\r\nbare\nLF and bare\rCR and\r\rtwo, and\n\r\n", b"\r", b"\n",
    b"A: b\r\n\r\nends with CR\r", b"A: b\r\n\r\nends with LF\n"]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("offer", list(OFFERS))
def test_each_octet_arrives(fake, relay, haul, protocol, offer):
    """DATA changes what mailhaul.conf(5) says it does, BDAT nothing. The
    server sees to it that nothing is used that was not offered, that no other
    server could see another end, and that BDAT without BINARYMIME carries
    lines only."""
    mails = DOTS + list(corpus.hostile().values())
    if offer not in ("data", "full"):
        mails = [m for m in mails if len(m) < 200000]
    r = relay(capa=OFFERS[offer])
    f = fake(protocol, after="delete", **r.options())
    if protocol == "pop3":  # it ends each line itself
        mails = [m if m.endswith(b"\r\n") or not m else m + b"\r\n"
                 for m in mails]
    add(f, *dict.fromkeys(mails))
    haul.fetch(timeout=60)
    wanted = list(dict.fromkeys(mails))
    if offer != "full":
        wanted = [through_data(m) for m in wanted]
    assert same(r.octets(), wanted)
    assert f.box.octets() == []
    assert len(r.sessions) == 1
    assert {g.how for g in r.kept} == {
        "none": {"DATA"}, "plain": {"DATA"}, "data": {"DATA"},
        "pipelining": {"DATA"}, "full": {"BDAT"},
        "chunking": {"DATA", "BDAT"}}[offer]


@pytest.mark.parametrize("capa", [DATA, FULL], ids=["data", "bdat"])
def test_twenty_megabytes_in_little_memory(fake, relay, haul, capa):
    big = corpus.message(3, size=20_000_000) + b".\r\n..\r\nx\n.\n"
    r = relay(capa=capa)
    f = fake("imap", **r.options())
    add(f, big)
    p, peak = haul.start(), {}
    while p.poll() is None:
        for pid, kb in memory(p.pid).items():
            peak[pid] = max(kb, peak.get(pid, 0))
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(0.02)
    assert haul.finish(p).status == OK
    assert r.octets() == [big if capa == FULL else through_data(big)]
    if SLOW == 1:
        assert sum(peak.values()) < 40_000, peak


def test_a_message_that_is_too_large_for_the_server(fake, relay, haul):
    small, big = corpus.message(1, size=500), corpus.message(2, size=90000)
    r = relay(capa=DATA.replace("SIZE", "SIZE=50000"))
    f = fake("imap", after="delete", **r.options())
    add(f, big, small)
    s = haul.fetch(status=TEMPFAIL)
    assert states(haul) == ["held"] and "50000" in s.text
    assert r.octets() == [small] and f.box.octets() == [big]
    assert len(r.asked("MAIL")) == 1  # it is not asked in vain


# ---- the envelope ----

def test_the_sender(fake, relay, haul):
    cases = [
        (b"Return-Path: <r@x.org>\r\nSender: s@x.org\r\nFrom: f@x.org",
         "r@x.org"),
        (b"Sender: s@x.org\r\nFrom: f@x.org", "s@x.org"),
        (b"From: F <f@x.org>", "f@x.org"),
        (b"Return-Path: <>\r\nFrom: f@x.org", ""),
        (b"Subject: none", ""),
        (b"From: a@x.org> SIZE=1\r\nSubject: 1", None),
        (b"From: <a@x.org\r\n\tMAIL FROM:<evil@x.org>>\r\nSubject: 2", None),
        (b"From: \"a\nRSET\n\"@x.org\r\nSubject: 3", None),
        (b"From: <" + b"a" * 70000 + b"@x.org>\r\nSubject: 4", None),
        (b"From: <\xc3\xa4@x.org>\r\nSubject: 5", "\xc3\xa4@x.org"),
        (b"From: <\xff\xfe@x.org>\r\nSubject: 6", "")]
    r = relay(capa=DATA + " SMTPUTF8")
    f = fake("imap", **r.options())
    add(f, *(c[0] + b"\r\n\r\nx\r\n" for c in cases))
    haul.fetch()
    assert len(r.kept) == len(cases)
    for (head, sender), g in zip(cases, r.kept):
        assert g.octets.startswith(head[:60].split(b"\n")[0][:50])
        if sender is not None:
            assert g.sender == sender, head
        assert ("SMTPUTF8" in g.params) == (g.sender == "\xc3\xa4@x.org")
    assert not r.asked("RSET")


def test_an_address_beyond_ascii_for_a_server_without(fake, relay, haul):
    r = relay(capa=DATA)
    f = fake("imap", **r.options(recipient=["b\u00f6b@example.org", BOB]))
    m = b"From: <\xc3\xa4@x.org>\r\n\r\nx\r\n"
    add(f, m)
    s = haul.fetch(status=TEMPFAIL)
    assert "SMTPUTF8" in s.text and states(haul) == ["held"]
    assert [(g.recipient, g.sender) for g in r.kept] == [(BOB, "")]


def test_the_recipient_of_a_header_field(fake, relay, haul):
    cases = [
        (b"X-To: mbox-ann@example.org", ANN),
        (b"x-tO:  <mbox-eve@example.org> (Eve)", EVE),
        (b"X-To: mbox-ann@example.org\r\nX-To: mbox-eve@example.org", ANN),
        (b"X-To: ann@example.org", ANN),  # without the prefix
        (b"To: eve@example.org", BOB),  # never guessed
        (b"X-To:", BOB), (b"X-To: <>", BOB),
        (b"X-To: mbox-", BOB)]
    hostile = [
        b"X-To: <a@b> SIZE=1", b"X-To: <a\r\n b@c>", b"X-To: <a\n\rQUIT@c>",
        b"X-To: <\0@c>", b"X-To: <" + b"x" * 3000 + b"@c>", b"X-To: \xff@c",
        b"X-To: >\r\n\tRCPT TO:<evil@example.org>", b"X-To: <a@b><evil@c>"]
    r = relay(capa=DATA + " SMTPUTF8")
    f = fake("imap", **r.options(recipient=[BOB], recipient_header="X-To",
                                 recipient_prefix="mbox-"))
    mails = [h + b"\r\nSubject: %d\r\n\r\nx\r\n" % i for i, h in enumerate(
        [c[0] for c in cases] + hostile)]
    add(f, *mails)
    haul.fetch()
    assert [g.octets for g in r.kept] == [through_data(m) for m in mails]
    assert len(r.asked("RCPT")) == len(r.asked("MAIL")) == len(mails)
    for (head, who), g in zip(cases, r.kept):
        assert g.recipient == who, head
    for head, g in zip(hostile, r.kept[len(cases):]):
        assert re.fullmatch(r"[^\s<>\0-\x20\x7f]{1,254}", g.recipient), head


def test_no_recipient_at_all(fake, relay, haul):
    r = relay()
    f = fake("imap", after="delete", **r.options(
        recipient=(), recipient_header="X-To"))
    mails = add(f, corpus.message(1), b"X-To: ann@example.org\r\n\r\nx\r\n",
                corpus.message(2))
    s = haul.fetch(status=TEMPFAIL)
    assert states(haul) == ["held", "held"]
    assert "recipient-header" in s.text
    assert r.octets(ANN) == [mails[1]]
    assert f.box.octets() == [mails[0], mails[2]]


# ---- several recipients ----

def test_each_mixture_of_answers(fake, relay, haul):
    """Who has it never gets it again, whoever else has to be asked again."""
    answers = {"2": None, "4": "450 4.2.0 not today", "5": "550 5.1.1 no"}
    mixtures = list(itertools.product("245", repeat=3))
    said = {}

    def rule(stage):
        def answer(session, who):
            n = int(session.sender.split("@")[0])
            code = said[n][THREE.index(who)]
            at = "rcpt" if (n + THREE.index(who)) % 2 else "body"
            return answers[code] if stage == at else None
        return answer

    r = relay(rcpt=rule("rcpt"), body=rule("body"))
    f = fake("imap", after="delete", **r.options(THREE))
    mails = {}
    for i, mix in enumerate(mixtures):
        said[i] = mix
        mails[i] = b"From: %d@x.org\r\n\r\n%d\r\n" % (i, i)
        f.box.add(mails[i])
    haul.fetch(status=TEMPFAIL)
    for who, n in zip(THREE, range(3)):
        assert sorted(r.octets(who)) == sorted(
            mails[i] for i in mails if said[i][n] == "2")
    rows = {int(t["uid"]) - 1: t["state"] for t in troubles(haul)}
    assert rows == {
        i: "later" if "4" in mix else "held"
        for i, mix in said.items() if mix != ("2", "2", "2")}
    assert sorted(f.box.octets()) == sorted(mails[i] for i in rows)
    before = len(r.asked("RCPT"))
    haul.fetch(status=None)
    assert len(r.asked("RCPT")) == before  # it is not time yet
    asked = {(who, i) for i in said for n, who in enumerate(THREE)
             if said[i][n] == "2"}
    for i in said:  # now those that said 4 say 5, and those 2
        said[i] = tuple({"2": "5", "4": "5", "5": "2"}[c] for c in said[i])
    held(haul, "retry")
    haul.fetch(status=TEMPFAIL)
    for i, m in mails.items():
        for who, n in zip(THREE, range(3)):
            has = r.octets(who).count(m)
            assert has == ((who, i) in asked or said[i][n] == "2"), (i, who)
    said.update((i, ("2", "2", "2")) for i in said)
    held(haul, "retry")
    haul.fetch()
    r.check(mails.values(), THREE)
    assert f.box.octets() == [] and states(haul) == []


def test_all_refuse_for_good(fake, relay, haul):
    r = relay(rcpt="550-5.7.1 never\n550 5.7.1 ever")
    f = fake("pop3", after="delete", **r.options(THREE))
    mails = add(f, *corpus.messages(2))
    s = haul.fetch(status=TEMPFAIL)
    assert "never ever" in s.text
    assert states(haul) == ["held", "held"]
    assert f.box.octets() == mails
    assert r.kept == []
    haul.fetch()
    assert len(r.asked("MAIL")) == 2  # they are not asked for again


def test_one_answer_keeps_the_others_going(fake, relay, haul):
    """A message that is refused does not stop those behind it."""
    mails = corpus.messages(30)
    r = relay(mail=for_recipient({
        "sender7@example.org": "554 5.6.0 spam",
        "sender9@example.org": "451 4.7.1 grey"}))
    f = fake("imap", after="delete", **r.options())
    add(f, *mails)
    haul.fetch(status=TEMPFAIL)
    assert sorted(states(haul)) == ["held", "later"]
    r.check([m for i, m in enumerate(mails) if i not in (7, 9)])
    assert f.box.octets() == [mails[7], mails[9]]
    assert len(r.sessions) == 1
    r.rules.clear()
    settle(haul)
    r.check(mails)
    assert f.box.octets() == [] and states(haul) == []


def test_the_words_of_a_server_are_cleaned(fake, relay, haul):
    """In what is printed, logged, listed and kept (A16)."""
    words = "550 \x1b]0;evil\x07\x1b[2J\x9b1m\u202e" + "x" * 5000 + " %n%s"
    r = relay(rcpt=words)
    haul.globals["log-level"] = "trace"
    f = fake("imap", **r.options())
    add(f, corpus.message(1))
    texts = [haul.fetch(status=TEMPFAIL).text, held(haul).text,
             held(haul, "show", "a", "1").text, held(haul, "list").text]
    for t in texts + [listed(haul)[0]["reason"], troubles(haul)[0]["reason"]]:
        assert "550" in t and "]0;evil" in t
        assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]", t), t
    assert len(troubles(haul)[0]["reason"]) < 1000


@pytest.mark.parametrize("unix", [True, False], ids=["socket", "port"])
def test_many_messages_over_one_connection(fake, relay, haul, unix):
    r = relay(unix=unix)
    f = fake("imap", after="delete", **r.options(THREE))
    mails = add(f, *corpus.messages(300, size=500))
    haul.fetch()
    r.check(mails, THREE)
    assert [g.octets for g in r.kept if g.recipient == EVE] == mails
    assert len(r.sessions) == 1
    until(lambda: r.asked("QUIT"), what="a farewell")


@pytest.mark.parametrize("unix", [True, False], ids=["socket", "port"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_several_connections(fake, relay, haul, protocol, unix):
    """Each message once, whichever of them it takes; and all are used."""
    r = relay(unix=unix)
    f = fake(protocol, after="delete",
             **r.options(THREE, delivery_parallel=3))
    mails = add(f, *corpus.messages(200, size=500))
    haul.fetch()
    r.check(mails, THREE)
    assert len(r.sessions) == 3
    assert all(any(x.startswith("MAIL") for x in s.asked)
               for s in r.sessions)
    until(lambda: len(r.asked("QUIT")) == 3, what="three farewells")


def test_accounts_share_no_connection_or_fate(fake, relay, haul):
    good, bad = relay(), relay(greeting="554 5.3.2 closed")
    a = fake("imap", name="good", **good.options())
    b = fake("imap", name="bad", **bad.options())
    mails = add(a, *corpus.messages(20))
    add(b, *mails)
    s = haul.fetch(status=TEMPFAIL)
    good.check(mails)
    assert "bad" in s.text and "5.3.2" in s.text
    assert s.text.count("5.3.2") < 6, s  # not for each message
    assert states(haul) == []  # it is no message's fault
    assert len(bad.sessions) <= 3
    bad.rules.clear()
    haul.fetch()
    bad.check(mails)
