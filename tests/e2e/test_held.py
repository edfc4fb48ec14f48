# SPDX-License-Identifier: ISC
"""Messages that do not get through: what is known of them, when they are
tried again, and what a user can say. They are never deleted on the server."""

import json
import os
import threading

import pytest

import corpus
import model
from haul import OK, TEMPFAIL, USAGE, check, lf, until
from mda import (DROPPED, HELD, LATER, Keeper, ahead, held, listed, nasty,
                 script, settle, troubles)

PROTOCOLS = ["imap", "pop3"]


def simple(i, headers=b""):
    return b"From: %d@example.org\r\nSubject: number %d\r\n%s\r\nbody\r\n" % (
        i, i, headers)


class Refuser:
    """A program that refuses what its list names, and keeps the rest."""

    def __init__(self, tmp_path, status=65):
        self.list = tmp_path / "refused"
        self.keeper = Keeper(tmp_path, (
            "grep -qx \"$MAILHAUL_UID\" %s && { echo sorry >&2; exit %d; }"
            % (self.list, status)))
        self.argv = self.keeper.argv
        self.refuse()

    def refuse(self, *uids):
        self.list.write_text("".join("%s\n" % u for u in uids))


@pytest.fixture
def refuser(tmp_path):
    return Refuser(tmp_path)


def uid(protocol, n):
    return str(n) if protocol == "imap" else "uidl-%d" % n


def messages(rows):
    return [r["message"] for r in rows]


# ---- looking ----

def test_nothing_is_held_before_the_first_fetch(haul):
    haul.account("a", host="localhost", user="u", password="p4ssw")
    assert held(haul).out.strip() == "no message is held"
    assert listed(haul) == []
    held(haul, "retry")
    assert not os.path.exists(os.path.join(haul.state, "ledger.sqlite"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_list_and_all_that_is_known(fake, haul, refuser, protocol):
    f = fake(protocol, mda=refuser.argv, after="delete", name="work")
    g = fake("imap", mda=nasty("say=come later", "exit=75"), name="b")
    for i in range(1, 4):
        f.box.add(simple(i))
    g.box.add(simple(9))
    refuser.refuse(uid(protocol, 2))
    haul.fetch(status=None)
    rows = listed(haul)
    assert [r["account"] for r in rows] == ["b", "work"]
    later, bad = rows
    assert bad["message"] == uid(protocol, 2)
    assert bad["mailbox"] == ("INBOX" if protocol == "imap" else "")
    assert bad["state"] == HELD and bad["tries"] == 1
    assert bad["next"] is None and bad["since"].endswith("Z")
    assert bad["size"] == len(lf(simple(2))) or \
        bad["size"] == len(simple(2)), bad
    assert "status 65" in bad["reason"] and "sorry" in bad["reason"]
    assert "number 2" in bad["about"] and "2@example.org" in bad["about"]
    assert later["state"] == LATER and later["next"] > later["since"]
    assert listed(haul, "work") == [bad]
    # the same in words
    lines = held(haul).out.rstrip("\n").split("\n")
    assert len(lines) == 3
    assert lines[0].split() == ["account", "mailbox", "message", "state",
                                "tries", "next", "size", "reason"]
    words = lines[2].split()
    assert words[0] == "work" and words[2] == uid(protocol, 2)
    assert words[3] == "held" and "sorry" in lines[2]
    assert "later" in lines[1] and "in " in lines[1]
    assert held(haul, "list", "work").out == held(haul, "work").out
    assert len(held(haul, "work").out.split("\n")) == 3
    one = held(haul, "show", "work", uid(protocol, 2)).out
    for word in ("account: work", "message: " + uid(protocol, 2),
                 "state: held", "number 2", "sorry", "tries: 1"):
        assert word in one, one


def test_hostile_text_in_the_list(fake, haul):
    name = "B\x1b[2J\x9b"
    f = fake("imap", mda=nasty("raw=1b5d303b7800070a", "exit=1"),
             mailboxes=["*"])
    f.boxes = {"a\\b \"c\" \x1b[2J".replace("\x1b", ""): f.box}
    f.box.add(simple(1, b"Subject: \x1b]0;x\x07\x9b2J\xe2\x80\xae\r\n"))
    haul.fetch(status=None)
    for out in (held(haul).text, held(haul, "show", "a", "1").text,
                held(haul, "list", "--json").text):
        assert "\x1b" not in out and "\x07" not in out, out
        assert "\x9b" not in out and "\u202e" not in out, out
    assert len(listed(haul)) == 1 and name


def test_wrong_words(fake, haul, refuser):
    f = fake("imap", mda=refuser.argv, name="work")
    f.box.add(simple(1))
    refuser.refuse(1)
    haul.fetch(status=None)
    for words in (["show"], ["show", "work"], ["drop"], ["drop", "work"],
                  ["list", "a", "b"], ["nonsense", "x"], ["--nonsense"]):
        r = haul.run(*words, command="held")
        assert r.status == USAGE and r.text, (words, r)
    for verb in ("show", "retry", "drop"):
        r = held(haul, verb, "wrok", "1", status=USAGE)
        assert "wrok" in r.text and "work" in r.text
        r = held(haul, verb, "work", "17", status=USAGE)
        assert "17" in r.text
    assert len(listed(haul)) == 1 and listed(haul)[0]["state"] == HELD


# ---- changing ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_retry(fake, haul, refuser, protocol):
    f = fake(protocol, mda=refuser.argv, after="delete")
    for i in range(1, 5):
        f.box.add(simple(i))
    refuser.refuse(uid(protocol, 2), uid(protocol, 3))
    haul.fetch(status=None)
    assert len(f.box.octets()) == 2
    refuser.refuse()
    haul.fetch(status=None)  # nobody has said so
    assert len(refuser.keeper.kept()) == 2
    held(haul, "retry", "a", uid(protocol, 3))
    assert [(r["message"], r["state"]) for r in listed(haul)] == [
        (uid(protocol, 2), HELD), (uid(protocol, 3), LATER)]
    haul.fetch(status=None)
    assert messages(listed(haul)) == [uid(protocol, 2)]
    assert f.box.octets() == [simple(2)]
    held(haul, "retry", "a")
    haul.fetch()
    assert listed(haul) == [] and f.box.octets() == []
    refuser.keeper.check([simple(i) for i in range(1, 5)])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_drop(fake, haul, refuser, protocol):
    f = fake(protocol, mda=refuser.argv, after="delete")
    for i in range(1, 4):
        f.box.add(simple(i))
    refuser.refuse(uid(protocol, 2))
    haul.fetch(status=None)
    held(haul, "drop", "a", uid(protocol, 2))
    refuser.refuse()
    assert listed(haul) == []
    held(haul, "drop", "a", uid(protocol, 2), status=USAGE)
    held(haul, "retry")
    haul.fetch()
    assert [t["state"] for t in troubles(haul)] == [DROPPED]
    assert f.box.octets() == [simple(2)]
    assert len(refuser.keeper.kept()) == 2


def test_two_mailboxes_with_the_same_uid(fake, haul, refuser):
    f = fake("imap", mda=refuser.argv, mailboxes=["*"])
    f.boxes["Lists/x"] = model.Box()
    for i, box in enumerate(f.boxes.values()):
        box.add(simple(i), 7)
    refuser.refuse(7)
    haul.fetch(status=None)
    assert [r["mailbox"] for r in listed(haul)] == ["INBOX", "Lists/x"]
    r = held(haul, "retry", "a", "7", status=USAGE)
    assert "INBOX" in r.text and "Lists/x" in r.text
    assert all(r["state"] == HELD for r in listed(haul))
    held(haul, "retry", "a", "Lists/x/7")
    assert [r["state"] for r in listed(haul)] == [HELD, LATER]
    held(haul, "drop", "a", "INBOX/7")
    assert [r["mailbox"] for r in listed(haul)] == ["Lists/x"]
    refuser.refuse()
    haul.fetch()
    assert refuser.keeper.messages() == [lf(simple(1))]


def test_without_uidl_it_is_known_by_what_it_holds(fake, haul, tmp_path):
    keeper = Keeper(tmp_path, (
        "case $MAILHAUL_SENDER in 2*) test -e $d/../mended || exit 65; esac"))

    def session(s, n):
        s.uidl = False
        return None

    f = fake("pop3", session, mda=keeper.argv, after="delete")
    for i in range(1, 4):
        f.box.add(simple(i))
    for _ in range(2):
        haul.fetch(status=None)
        assert f.box.octets() == [simple(2)]
        row, = listed(haul)
        assert row["state"] == HELD and row["message"].startswith("id:")
        assert row["tries"] == 1 and "number 2" in row["about"]
    held(haul, "show", "a", row["message"])
    (tmp_path / "mended").touch()
    held(haul, "retry", "a", row["message"])
    haul.fetch()
    keeper.check([simple(i) for i in range(1, 4)])
    assert f.box.octets() == [] and listed(haul) == []


def test_while_a_fetch_runs(fake, haul, refuser):
    go = threading.Event()
    waits = []

    def session(s, n):
        if n == 0:
            return None
        s.greet()
        s.run("UID FETCH*")
        waits.append(1)
        assert go.wait(30)
        s.answer(s.asked[-1])
        s.run()
        return True

    f = fake("imap", session, mda=refuser.argv, after="delete")
    for i in range(1, 4):
        f.box.add(simple(i))
    refuser.refuse(1, 2, 3)
    haul.fetch(status=None)
    f.box.add(simple(4))
    p = haul.start()
    until(lambda: waits, what="a fetch")
    assert messages(listed(haul)) == ["1", "2", "3"]
    held(haul, "show", "a", "2")
    held(haul, "retry", "a", "1")
    held(haul, "drop", "a", "2")
    refuser.refuse()
    go.set()
    haul.finish(p)
    assert messages(listed(haul)) in (["1", "3"], ["3"])
    haul.fetch(status=None)
    refuser.keeper.check([simple(4), simple(1)])
    assert f.box.octets() == [simple(2), simple(3)]


def test_many_at_once_while_a_fetch_notes_more(fake, haul, tmp_path):
    f = fake("imap", mda=[script(tmp_path / "no", (
        "exit $((64 + $MAILHAUL_UID % 5))\n"))])
    for i in range(1, 101):
        f.box.add(simple(i))
    p = haul.start()
    while p.poll() is None:
        held(haul, "retry")
        held(haul)
    haul.finish(p)
    haul.fetch(status=None)
    assert len(listed(haul)) == 100
    assert len(f.box.octets()) == 100


# ---- when it is tried again ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_delay_grows(fake, haul, tmp_path, protocol):
    count = tmp_path / "count"
    f = fake(protocol, after="delete", mda=[script(
        tmp_path / "later", "echo >>%s\nexit 75\n" % count)])
    f.box.add(simple(1))
    now, delay = 0, 60
    for tries in range(1, 12):
        haul.fetch(status=None, env=ahead(now))
        assert count.read_text() == "\n" * tries
        row, = troubles(haul)
        assert row["tries"] == tries and row["state"] == LATER
        if tries > 1:
            assert row["next"] - first - now in range(delay, delay + 20)
        else:
            first = row["since"]
            assert row["next"] - first in (60, 61)
        assert row["since"] == first
        # before its time nobody asks for it
        haul.fetch(status=None, env=ahead(now + delay - 20))
        assert count.read_text() == "\n" * tries
        now += delay + 1
        delay = min(2 * delay, 4 * 3600)
    held(haul, "retry")
    haul.fetch(status=None)
    row, = troubles(haul)
    assert row["tries"] == 1
    assert len(f.box.octets()) == 1


def broken(s, n):
    """The server has number 2 in its lists but never produces it."""
    if hasattr(s, "do_retr"):
        retr = s.do_retr
        s.do_retr = lambda args: s.say("-ERR disk error") \
            if s.number(args).number == 2 else retr(args)
        return None
    fetched = s.fetched

    def without(m, items):
        if m.number != 2 or "[]" not in items:
            fetched(m, items)
    s.fetched = without
    fetch = s.do_uid_fetch

    def do(tag, args):
        which, _, items = args.partition(" ")
        if "[]" in items and any(m.number == 2 for m in s.chosen(which)):
            for m in s.chosen(which):
                s.fetched(m, items)
            s.say(tag + " NO [SERVERBUG] disk error")
        else:
            fetch(tag, args)
    s.do_uid_fetch = do
    return None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_the_server_never_produces_is_held(fake, haul, protocol):
    f = fake(protocol, broken, after="delete")
    for i in range(1, 5):
        f.box.add(simple(i))
    now = 0
    for tries, state in ((1, LATER), (2, LATER), (3, HELD)):
        haul.fetch(status=None, env=ahead(now))
        row, = troubles(haul)
        assert (row["tries"], row["state"]) == (tries, state), row
        assert row["why"] == "missing"
        check(f.maildir, [simple(1), simple(3), simple(4)])
        assert f.box.octets() == [simple(2)]
        now += 60 * 2 ** (tries - 1) + 5
    asked = len(f.asked())
    haul.fetch(env=ahead(now + 86400))
    assert not any("RETR" in x or "BODY" in x for x in f.asked()[asked:])
    # the server has been mended
    f.make = None
    held(haul, "retry", "a", uid(protocol, 2))
    haul.fetch()
    check(f.maildir, [simple(i) for i in range(1, 5)])
    assert f.box.octets() == [] and troubles(haul) == []


def test_what_the_server_has_no_more_is_forgotten(fake, haul, refuser):
    f = fake("imap", mda=refuser.argv)
    f.box.add(simple(1))
    f.box.add(simple(2))
    refuser.refuse(1, 2)
    haul.fetch(status=None)
    del f.box.mails[0]
    held(haul, "retry")
    haul.fetch(status=None)
    assert messages(listed(haul)) == ["2"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_program_that_refuses_all_alike_is_not_asked_for_ever(
        fake, haul, tmp_path, protocol):
    keeper = Keeper(tmp_path, (
        "echo >>$d/../count; test -e $d/../mended || "
        "{ echo no table for $MAILHAUL_UID >&2; exit 78; }"))
    count, mended = tmp_path / "count", tmp_path / "mended"
    f = fake(protocol, mda=keeper.argv, after="delete")
    for i in range(60):
        f.box.add(simple(i))
    r = haul.fetch(status=TEMPFAIL)
    assert "20" in r.text and "status 78" in r.text, r
    assert count.read_text() == "\n" * 20
    assert [t["state"] for t in troubles(haul)] == [HELD] * 20
    mended.touch()
    held(haul, "retry")
    settle(haul)
    keeper.check([simple(i) for i in range(60)])
    assert f.box.octets() == [] and troubles(haul) == []


def test_different_troubles_do_not_stop_a_fetch(fake, haul, tmp_path):
    f = fake("imap", mda=[script(tmp_path / "no", (
        "exit $((64 + $MAILHAUL_UID % 2))\n"))])
    for i in range(1, 51):
        f.box.add(simple(i))
    haul.fetch(status=None)
    assert len(listed(haul)) == 50


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_account_that_keeps_its_mail_keeps_the_held_too(
        fake, haul, refuser, protocol):
    f = fake(protocol, mda=refuser.argv, after="keep")
    for i in range(1, 4):
        f.box.add(simple(i))
    refuser.refuse(uid(protocol, 1))
    haul.fetch(status=None)
    haul.change(after="delete")
    haul.fetch(status=None)
    assert simple(1) in f.box.octets()
    assert messages(listed(haul)) == [uid(protocol, 1)]
    assert json.loads(held(haul, "list", "--json").out)[0]["tries"] == 1
    assert corpus.message(1) not in f.box.octets()
