# SPDX-License-Identifier: ISC
"""Messages larger than the user wants stay on the server, held, with or
without a stub in their place; and come when they are asked for."""

import email
import re

import pytest

import corpus
from haul import OK, USAGE, check, lf
from mda import HELD, Keeper, held, listed, troubles

PROTOCOLS = ["imap", "pop3"]
MAX = 10240


def big(i, size=30000):
    head = ("From: \"Big %d\" <big%d@example.org>\r\nTo: me@example.net\r\n"
            "Subject: holiday %d\r\nMessage-ID: <big%d@example.org>\r\n"
            "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nX-Odd: yes\r\n\r\n" % (
                i, i, i, i)).encode()
    line = b"x" * 76 + b"\r\n"
    body = line * ((size - len(head)) // len(line))
    return head + body + b"y" * (size - len(head) - len(body) - 2) + b"\r\n"


def uid(protocol, n):
    return str(n) if protocol == "imap" else "uidl-%d" % n


def whole(f):
    """What was asked for in whole: UIDs or numbers."""
    out = set()
    for line in f.asked():
        m = re.search(r"UID FETCH (\S+) .*BODY(?:\.PEEK)?\[\]", line)
        if m:
            for part in m.group(1).split(","):
                a, _, b = part.partition(":")
                out |= set(range(int(a), int(b or a) + 1))
        m = re.match(r"RETR (\d+)", line)
        if m:
            out.add(int(m.group(1)))
    return out


def fill(f):
    """Small, big, small, big."""
    mails = [corpus.message(1, size=600), big(2), corpus.message(4, size=600),
             big(4, 50000)]
    for m in mails:
        f.box.add(m)
    return mails


def stubs(maildir):
    return [m for m in maildir.messages()
            if b"\nX-Mailhaul-Stub:" in b"\n" + m]


@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_too_large_is_left_on_the_server(fake, haul, protocol, after):
    f = fake(protocol, after=after, max_size="10K")
    mails = fill(f)
    for _ in range(2):
        haul.fetch()
        check(f.maildir, [mails[0], mails[2]])
        assert whole(f) == {1, 3}
        if after == "delete":
            assert f.box.octets() == [mails[1], mails[3]]
    rows = troubles(haul)
    assert [r["why"] for r in rows] == ["size"] * 2
    assert [r["state"] for r in rows] == [HELD] * 2
    assert [r["size"] for r in rows] == [30000, 50000]
    assert "holiday 2" in rows[0]["about"], rows[0]
    assert "max-size" in rows[0]["reason"]
    # a try again changes nothing as long as the limit is what it is
    held(haul, "retry")
    haul.fetch()
    assert whole(f) == {1, 3} and len(listed(haul)) == 2
    # but with a larger one
    haul.change(max_size="40K")
    held(haul, "retry")
    haul.fetch()
    check(f.maildir, mails[:3])
    assert [r["message"] for r in listed(haul)] == [uid(protocol, 4)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_limit_is_the_largest_that_comes(fake, haul, protocol):
    f = fake(protocol, max_size="10K")
    for i in range(3):
        f.box.add(big(i + 1, MAX - 1 + i))
    haul.fetch()
    check(f.maildir, f.box.octets()[:2])
    assert [r["size"] for r in listed(haul)] == [MAX + 1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_a_limit_no_size_is_asked_for(fake, haul, protocol):
    f = fake(protocol)
    mails = fill(f)
    haul.fetch()
    check(f.maildir, mails)
    assert not any("RFC822.SIZE" in x or x.startswith("TOP")
                   for x in f.asked())


# ---- stubs ----

@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stub_in_its_place(fake, haul, protocol, after):
    f = fake(protocol, after=after, max_size="10K", oversize="stub")
    mails = fill(f)
    for _ in range(3):
        haul.fetch()
        assert f.maildir.count() == 4 and len(stubs(f.maildir)) == 2
        held(haul, "retry")
    assert whole(f) == {1, 3}
    assert mails[1] in f.box.octets() and mails[3] in f.box.octets()
    m = email.message_from_bytes(
        [s for s in stubs(f.maildir) if b"holiday 2" in s][0])
    assert m["From"] == "\"Big 2\" <big2@example.org>"
    assert "holiday 2" in m["Subject"] and "left on the server" in m["Subject"]
    assert m["Date"] and "size=30000" in m["X-Mailhaul-Stub"]
    assert m["Message-ID"] != "<big2@example.org>"
    text = m.get_payload()
    assert "mailhaul fetch --full a" in text
    assert "X-Odd: yes" in text and "30.0 kB" in text
    row = listed(haul)[0]
    assert row["stub"] and row["size"] == 30000


@pytest.mark.parametrize("oversize", ["skip", "stub"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetch_full(fake, haul, protocol, oversize):
    f = fake(protocol, after="delete", max_size="10K", oversize=oversize)
    mails = fill(f)
    haul.fetch()
    n = len(stubs(f.maildir))
    assert n == (2 if oversize == "stub" else 0)
    r = haul.fetch("--full", "a", "4711", status=USAGE)
    assert "4711" in r.text
    name = "INBOX/2" if protocol == "imap" else "uidl-2"
    haul.fetch("--full", "a", name)
    have = [m for m in f.maildir.messages() if m not in stubs(f.maildir)]
    assert sorted(have) == sorted(lf(m) for m in mails[:3])
    assert f.box.octets() == [mails[3]]
    assert [r["message"] for r in listed(haul)] == [uid(protocol, 4)]
    haul.fetch("--full", "a", uid(protocol, 4), status=OK)
    assert lf(mails[3]) in f.maildir.messages()
    assert f.box.octets() == [] and troubles(haul) == []
    assert len(stubs(f.maildir)) == n and f.maildir.count() == 4 + n


def test_fetch_full_needs_a_message(fake, haul):
    fill(fake("imap", max_size="10K"))
    haul.fetch()
    for words in (["--full"], ["--full", "a"], ["--full", "b", "2"]):
        assert haul.fetch(*words, status=USAGE).text
    assert len(listed(haul)) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_large_one_that_was_dropped(fake, haul, protocol):
    f = fake(protocol, after="delete", max_size="10K")
    mails = fill(f)
    haul.fetch()
    held(haul, "drop", "a", uid(protocol, 2))
    haul.change(oversize="stub", max_size="40K")
    held(haul, "retry")
    haul.fetch()
    haul.fetch()
    assert len(stubs(f.maildir)) == 1 and f.maildir.count() == 3
    assert f.box.octets() == [mails[1], mails[3]]


@pytest.mark.parametrize("oversize", ["skip", "stub"])
def test_without_uidl_what_is_too_large_is_passed_over(fake, haul, oversize):
    def session(s, n):
        s.uidl = False

    f = fake("pop3", session, after="delete", max_size="10K",
             oversize=oversize)
    mails = fill(f)
    for _ in range(2):
        r = haul.fetch()
        check(f.maildir, [mails[0], mails[2]])
        assert f.box.octets() == [mails[1], mails[3]]
        assert "max-size" in r.text
    haul.change(max_size="40K")
    haul.fetch()
    check(f.maildir, mails[:3])


def test_a_stub_for_a_program(fake, haul, tmp_path):
    keeper = Keeper(tmp_path)
    f = fake("imap", mda=keeper.argv, max_size="10K", oversize="stub",
             after="delete")
    mails = fill(f)
    for _ in range(2):
        haul.fetch()
        held(haul, "retry")
    kept = keeper.messages()
    assert len(kept) == 4
    assert sum(b"\nX-Mailhaul-Stub:" in m for m in kept) == 2
    assert f.box.octets() == [mails[1], mails[3]]


def test_hostile_headers_in_a_stub(fake, haul):
    f = fake("imap", max_size="10K", oversize="stub")
    f.box.add(b"Subject: a\r\n b\r\nFrom: x\rX-Inject: y\r\nno colon here\r\n"
              b"X-Long: " + b"z" * 200000 + b"\r\nMessage-ID: <a\0b>\r\n\r\n")
    f.box.add(b"x" * 20000)
    f.box.add(b"\r\n" * 20000)
    haul.fetch()
    got = stubs(f.maildir)
    assert len(got) == 3
    for m in got:
        head = m.split(b"\n\n")[0]
        assert not any(line.startswith(b"X-Inject") for line in
                       head.split(b"\n"))
        assert len(m) < 400000


def test_killed_while_a_stub_is_delivered(fake, haul, tmp_path):
    f = fake("imap", max_size="10K", oversize="stub", after="delete")
    points = tmp_path / "points"
    f.box.add(big(1))
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    n, deaths = 1, 0
    for name in sorted(set(points.read_text().split())):
        for nth in range(1, 12):
            n += 1
            f.box.add(big(n))
            r = haul.run(env={"MAILHAUL_DIE_IN": name,
                              "MAILHAUL_DIE_AT": str(nth)})
            haul.fetch()
            assert len(stubs(f.maildir)) == n, (name, nth)
            if r.status == OK:
                break
            deaths += 1
    assert deaths > 8
    assert len(f.box.octets()) == n
    assert f.maildir.files("tmp") == []
    assert len(listed(haul)) == n and all(r["stub"] for r in listed(haul))


# ---- servers that lie ----

def lying(sizes):
    """The server says these sizes, by number; None is no size at all."""
    def session(s, n):
        def said(m):
            return sizes.get(m.number, len(m.octets))
        if hasattr(s, "do_retr"):
            s.do_list = lambda args: s.many(
                "%d %s" % (i, said(m)) for i, m in s.alive())
            return None
        fetched = s.fetched

        def lie(m, items):
            if "RFC822.SIZE" not in items.upper():
                fetched(m, items)
                return
            true = b"RFC822.SIZE %d" % len(m.octets)
            said_so = b"" if said(m) is None else \
                b"RFC822.SIZE " + str(said(m)).encode()
            say = s.say
            s.say = lambda x: say(x.replace(true, said_so, 1).replace(
                b"  ", b" ").replace(b" )", b")"))
            fetched(m, items)
            s.say = say
        s.fetched = lie
        return None
    return session


@pytest.mark.parametrize("oversize", ["skip", "stub"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_says_smaller_than_it_is(
        fake, haul, protocol, oversize):
    f = fake(protocol, lying({2: 100}), after="delete", max_size="10K",
             oversize=oversize)
    mails = fill(f)
    for _ in range(3):
        haul.fetch()
        held(haul, "retry")
    full = [m for m in f.maildir.messages() if m not in stubs(f.maildir)]
    assert sorted(full) == sorted(lf(m) for m in (mails[0], mails[2]))
    assert mails[1] in f.box.octets() and mails[3] in f.box.octets()
    assert len(stubs(f.maildir)) == (2 if oversize == "stub" else 0)
    haul.fetch("--full", "a", uid(protocol, 2))
    assert lf(mails[1]) in f.maildir.messages()
    assert f.box.octets() == [mails[3]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("said", [2**40, 2**64, -1, "x", "1 2"])
def test_a_server_that_says_nonsense(fake, haul, protocol, said):
    f = fake(protocol, lying({1: said}), after="delete", max_size="10K",
             command_timeout="2s")
    m = corpus.message(1, size=600)
    f.box.add(m)
    r = haul.fetch(status=None)
    # here or there, and never a hang
    assert r.seconds < 10
    check(f.maildir, [m], f.box.octets(), all_here=False)
    if f.box.octets():
        assert r.status != OK or listed(haul)


def test_no_size_at_all(fake, haul):
    f = fake("imap", lying({1: None, 2: None, 3: None, 4: None}),
             after="delete", max_size="10K")
    mails = fill(f)
    haul.fetch()
    check(f.maildir, [mails[0], mails[2]])
    assert f.box.octets() == [mails[1], mails[3]]
    assert len(listed(haul)) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_real_server(account, haul, protocol):
    a = account(protocol, after="delete", max_size="10K", oversize="stub")
    mails = [corpus.message(1, size=600), big(2), big(3, 200000)]
    a.box.add(*mails)
    haul.fetch()
    assert len(stubs(a.maildir)) == 2 and a.maildir.count() == 3
    assert a.box.messages() == mails[1:]
    rows = listed(haul)
    assert [r["size"] for r in rows] == [30000, 200000]
    haul.fetch("--full", "a", rows[0]["message"])
    assert lf(mails[1]) in a.maildir.messages()
    assert a.box.messages() == mails[2:]
