# SPDX-License-Identifier: ISC
"""LMTP servers that refuse, break the protocol, say nothing, or are gone, at
every stage. Nothing is lost or deleted, nothing comes twice but where nobody
can know, and nothing leaves in the clear that shall not."""

import pytest

import corpus
import dovecot
from haul import OK, TEMPFAIL, until
from lmtp_model import BOB, DATA, FULL, OFFERS, held, settle, silent, states

STAGES = ["greeting", "lhlo", "mail", "rcpt", "data", "body"]


def deliver(fake, relay, n=2, protocol="imap", recipient=(BOB,), size=600,
            name="a", **kw):
    """A server of ours, an account and n messages."""
    r = relay(**kw)
    f = fake(protocol, name=name, after="delete", **r.options(recipient))
    mails = corpus.messages(n, size=size)
    for m in mails:
        f.box.add(m)
    return r, f, mails


def mend(haul, r, f, mails, repeats=0, recipients=(BOB,)):
    """The server is well again: all get there, and go from the other."""
    r.rules.clear()
    r.sent_max = r.cut_heard = None
    settle(haul)
    if states(haul):
        held(haul, "retry")
        haul.fetch()
    again = r.check(mails, recipients, repeats=repeats)
    assert f.box.octets() == [] and states(haul) == []
    return again


# ---- refusals ----

REFUSALS = [(stage, capa) for stage in STAGES
            for capa in ("none", "data", "chunking")
            if (stage, capa) != ("data", "chunking")]


@pytest.mark.parametrize("stage,capa", REFUSALS)
@pytest.mark.parametrize("reply,state", [
    ("451 4.3.0 not now", "later"),
    ("554-5.7.1 not you,\n554 5.7.1 ever", "held")], ids=["4xx", "5xx"])
def test_a_refusal(fake, relay, haul, stage, reply, state, capa):
    r, f, mails = deliver(fake, relay, capa=OFFERS[capa], **{stage: reply})
    s = haul.fetch(status=TEMPFAIL)
    early = stage in ("greeting", "lhlo")  # that is no message's fault
    assert ("not now" if state == "later" else "not you, ever") in s.text, s
    assert states(haul) == ([] if early else [state] * 2)
    assert r.kept == [] and f.box.octets() == mails
    if not early:
        assert len(r.sessions) == 1
    mend(haul, r, f, mails)


@pytest.mark.parametrize("capa", ["data", "chunking"])
@pytest.mark.parametrize("stage", STAGES)
def test_421_at_any_stage(fake, relay, haul, stage, capa):
    """RFC 5321 3.8: the server closes the connection."""
    said = []

    def closing(session, arg):
        if stage == "data" or len(said) < 2:
            said.append(1)
            session.p.send(b"421 4.3.2 going down\r\n")
            session.p.drop()

    r, f, mails = deliver(fake, relay, capa=OFFERS[capa], **{stage: closing})
    haul.fetch(status=(OK, TEMPFAIL))
    assert states(haul).count("held") == 0
    assert len(r.sessions) < 8  # no hammering
    mend(haul, r, f, mails)


# ---- replies that are none ----

WRONG = {
    "no-code": b"hello there\r\n",
    "short": b"25\r\n",
    "code-1xx": b"150 wait\r\n",
    "code-6xx": b"650 what\r\n",
    "two-codes": b"250-yes\r\n550 no\r\n",
    "two-codes-2": b"550-no\r\n250 yes\r\n",
    "not-a-reply": b"250_yes\r\n",
    "go-on": b"334 go on\r\n",
    "long-line": b"250 " + b"x" * (3 << 20) + b"\r\n",
    "endless-reply": b"250-x\r\n" * 100000,
    "unasked": b"250 yes\r\n250 yes\r\n250 yes\r\n250 yes\r\n250 x\r\n",
    "nul": b"250 a\0b\r\n\0\0",
    "escapes": b"550 \x1b]0;evil\x07 \xff\x9b1m\rgone\r\n",
}


YES = ["long-line", "unasked", "nul"]  # they begin with one


@pytest.mark.parametrize("name", list(WRONG))
def test_a_wrong_reply(fake, relay, haul, name):
    """At every stage in turn. Octets of the server do not reach terminals;
    what it says must not make it look as if it had taken a message."""
    for stage in STAGES + ["quit"]:
        if stage == "body" and name in YES:
            continue

        def wrong(session, arg):
            session.p.send(WRONG[name])
            session.p.drop()

        haul.accounts.clear()
        r, f, mails = deliver(fake, relay, 1, name=stage, **{stage: wrong})
        s = haul.fetch(status=None)
        assert not any(c < " " and c != "\n" or "\x7f" <= c < "\xa0"
                       for c in s.text), repr(s.text)
        if stage != "quit":
            assert s.status != OK, (stage, s)
            assert r.kept == [] and f.box.octets() == mails, stage
        assert len(r.sessions) <= 3
        mend(haul, r, f, mails)


# ---- silence ----

@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES + ["quit"])
def test_silence(fake, relay, haul, stage):
    r, f, mails = deliver(fake, relay, 1, **{stage: silent})
    haul.change("a", delivery_timeout="1s")
    s = haul.fetch(status=OK if stage == "quit" else TEMPFAIL)
    assert s.seconds < 6
    if stage != "quit":
        assert "1 s" in s.text or "in time" in s.text, s
        assert f.box.octets() == mails
    assert "held" not in states(haul)
    mend(haul, r, f, mails)


def test_a_server_that_hangs_delays_no_other_account(fake, relay, haul):
    bad, a, _ = deliver(fake, relay, 1, name="bad", lhlo=silent)
    good, b, mails = deliver(fake, relay, 5, name="good")
    p = haul.start()
    until(lambda: b.box.octets() == [], what="the other account")
    good.check(mails)
    assert p.poll() is None
    p.terminate()
    assert haul.finish(p, timeout=15).status == TEMPFAIL
    haul.accounts.pop("good")
    mend(haul, bad, a, a.box.octets())


# ---- connections ----

@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("how", ["fin", "reset"])
def test_it_closes_after_some_messages(fake, relay, haul, how, after):
    r, f, mails = deliver(fake, relay, 10)
    count = {}

    def some(session, sender):
        count[session.number] = count.get(session.number, 0) + 1
        if count[session.number] > after:
            session.p.drop(how)

    r.rules["mail"] = some
    haul.fetch(status=(OK, TEMPFAIL))
    assert len(r.octets()) >= 2 * after
    r.check(mails, left=f.box.octets(), all_here=False)
    mend(haul, r, f, mails)


def test_nobody_listens(fake, relay, haul):
    r, f, mails = deliver(fake, relay)
    nobody = "127.0.0.1:%d" % dovecot.free_ports(1)[0]
    haul.change("a", lmtp=nobody)
    s = haul.fetch(status=TEMPFAIL)
    assert nobody in s.text and "refused" in s.text, s
    assert states(haul) == [] and f.box.octets() == mails
    haul.change("a", lmtp=haul.dir + "/no/such/socket")
    s = haul.fetch(status=TEMPFAIL)
    assert "/no/such/socket" in s.text and "o such file" in s.text
    assert states(haul) == [] and f.box.octets() == mails


def whole_session(fake, relay, haul, capa):
    """How many octets are said and heard in one."""
    r, f, mails = deliver(fake, relay, 2, name="first", capa=capa, size=200)
    haul.fetch()
    r.check(mails)
    haul.accounts.clear()
    return r.sessions[0].p.sent, len(r.sessions[0].p.heard)


@pytest.mark.parametrize("how,capa", [
    ("fin", DATA), ("reset", FULL)], ids=["fin-data", "reset-bdat"])
@pytest.mark.parametrize("who", ["said", "heard"])
def test_cut_at_every_offset(fake, relay, haul, who, how, capa):
    """The first connection of each account ends after so many octets of the
    server's or of ours. A yes that got lost may be followed by one repeat."""
    said, heard = whole_session(fake, relay, haul, capa)
    total = said if who == "said" else heard
    # all of the server's words; of the many of ours every tenth or so
    offsets = range(0, total, 1 if who == "said" else max(1, total // 90))
    haul.globals["max-connections-per-host"] = 1000
    for first in range(0, len(offsets), 50):
        cut_at(fake, relay, haul, who, how, capa, offsets[first:first + 50])


def cut_at(fake, relay, haul, who, how, capa, offsets):
    haul.accounts.clear()
    rows = []
    for n in offsets:
        r, f, mails = deliver(
            fake, relay, 2, name="cut%d" % n, capa=capa, size=200)
        r.cut_how = how
        if who == "said":
            r.sent_max = n
        else:
            r.cut_heard = n
        rows.append((n, r, f, mails))
    haul.fetch(status=(OK, TEMPFAIL), timeout=120)
    for n, r, f, mails in rows:
        r.check(mails, left=f.box.octets(), all_here=False, repeats=1)
        assert len(r.sessions) <= 5, n
    settle(haul)
    for n, r, f, mails in rows:
        again = r.check(mails, repeats=1)
        assert f.box.octets() == [], n
        assert again == 0 or who == "said", n  # it had never said yes
        r.stop()
        f.server.stop()
    assert states(haul) == []


# ---- TLS ----

def exactly_in_the_clear(r, words):
    for s in r.sessions:
        clear = bytes(s.p.clear).decode("latin-1")
        assert [x.split(" ")[0] for x in clear.split("\r\n")[:-1]] == words


@pytest.mark.parametrize("tls,words", [
    ("starttls", ["LHLO", "STARTTLS"]), ("implicit", [])])
@pytest.mark.parametrize("capa", ["data", "full"])
def test_a_protected_connection(fake, relay, haul, tls, words, capa):
    r, f, mails = deliver(fake, relay, 5, tls=tls, capa=OFFERS[capa])
    haul.fetch()
    r.check(mails)
    assert all(g.tls for g in r.kept)
    exactly_in_the_clear(r, words)


def test_a_name_that_is_no_loopback_means_starttls(fake, relay, haul):
    r, f, mails = deliver(fake, relay, 1, tls="starttls")
    haul.change("a", delivery_tls=None, lmtp=r.address.replace(
        "127.0.0.1", "[::ffff:127.0.0.1]"))
    s = haul.fetch(status=None)
    if r.sessions:  # or the address is refused at all
        assert "STARTTLS" in r.asked(), s
    assert not [g for g in r.kept if not g.tls]


def stripped(session, arg):
    return "250-model.example\n250 8BITMIME"


BAD_TLS = {
    "stripped": dict(lhlo=stripped, starttls="502 5.5.1 what?"),
    "refused": dict(starttls="454 4.7.0 TLS not available"),
    "injected": dict(starttls=b"220 go\r\n250-x\r\n250 SIZE\r\n250 ok\r\n"),
    "no-tls": dict(starttls=b"220 go\r\n" ),
}


@pytest.mark.parametrize("name", list(BAD_TLS))
def test_starttls_is_insisted_upon(fake, relay, haul, name):
    r, f, mails = deliver(fake, relay, 1, tls="starttls", **BAD_TLS[name])
    haul.change("a", tls_timeout="2s")
    if name == "no-tls":  # it goes on in the clear
        def plain(session, arg):
            session.p.send(b"220 go\r\n")
            session.p.more()
            session.p.send(b"250 yes\r\n")
            silent(session, arg)
        r.rules["starttls"] = plain
    s = haul.fetch(status=(TEMPFAIL, 77))
    assert "TLS" in s.text, s
    assert states(haul) == [] and f.box.octets() == mails
    heard = r.heard()
    assert b"STARTTLS" in heard
    assert b"MAIL" not in heard and b"@example" not in heard
    assert r.kept == []
    r.wrong.clear()


def test_no_clear_word_where_tls_is_to_begin_at_once(fake, relay, haul):
    r, f, mails = deliver(fake, relay, 1)
    haul.change("a", delivery_tls="implicit")
    s = haul.fetch(status=(TEMPFAIL, 77))
    assert "TLS" in s.text
    assert b"LHLO" not in r.heard() and b"@example" not in r.heard()
    r.wrong.clear()  # a ClientHello is no command
    assert f.box.octets() == mails


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("what", ["unknown-ca", "name"])
def test_a_bad_certificate(fake, relay, haul, tmp_path, tls, what):
    r, f, mails = deliver(fake, relay, 1, tls=tls)
    if what == "name":
        haul.change("a", delivery_tls_name="mail.example.net")
    else:
        dovecot.make_certs(str(tmp_path / "others"))
        haul.change("a", delivery_tls_ca_file=str(
            tmp_path / "others" / "ca.pem"))
    s = haul.fetch(status=(TEMPFAIL, 77))
    assert "certificate" in s.text.lower(), s
    assert states(haul) == [] and f.box.octets() == mails
    assert b"MAIL" not in r.heard() and b"@example" not in r.heard()
    haul.change("a", delivery_tls_name=None,
                delivery_tls_ca_file=r.certs + "/ca.pem")
    haul.fetch()
    r.check(mails)
