# SPDX-License-Identifier: ISC
"""What a Maildir can have besides: folders, flags, trace headers."""

import calendar
import email.utils
import os
import re
import socket
import stat
import time

import pytest

import corpus
import dovecot
import model
from haul import OK, Maildir, Watch, check, lf

PROTOCOLS = ["imap", "pop3"]


def simple(i, headers=b""):
    return b"Subject: %d\r\n%s\r\nbody %d\r\n" % (i, headers, i)


# ---- folders ----

def folders(maildir):
    """name -> messages, of all below it; nothing else may be there."""
    out = {}
    for name in os.listdir(maildir.path):
        path = os.path.join(maildir.path, name)
        if name in ("new", "cur", "tmp") or name.startswith(".mailhaul-"):
            continue
        assert name.startswith(".") and len(name) <= 201, name
        assert os.path.isdir(path) and not os.path.islink(path)
        assert {"new", "cur", "tmp", "maildirfolder"} <= set(
            os.listdir(path)), name
        out[name] = Maildir(path).messages()
    out["INBOX"] = maildir.messages()
    return out


def test_folders_of_a_real_server(account, haul):
    names = ["Lists/foo", "Lists/foo/Deep", "Größe & Co", "Sent Items",
             "日本", "INBOX/Sub"]
    a = account("imap", mailboxes=["*"], maildir_folders=True,
                after="delete")
    want = {"INBOX": [simple(0)]}
    a.box.add(simple(0))
    boxes = []
    for i, name in enumerate(names):
        b = a.server.box(a.user, name)
        b.add(simple(i + 1), corpus.message(i))
        boxes.append(b)
        levels = name.removeprefix("INBOX/").split("/")
        want["".join("." + dovecot.mutf7(x) for x in levels)] = [
            simple(i + 1), corpus.message(i)]
    haul.fetch()
    haul.fetch()
    got = folders(a.maildir)
    assert got.keys() == want.keys()
    for name in want:
        assert sorted(got[name]) == sorted(lf(m) for m in want[name]), name
    assert all(b.messages() == [] for b in boxes)


def test_a_real_server_reads_the_folders_again(account, haul, server):
    a = account("imap", mailboxes=["*"], maildir_folders=True)
    user = server.user()
    home = os.path.join(server.dir, "mail", user)
    for i, name in enumerate(("Größe/x", "a")):
        a.server.box(a.user, name).add(simple(i))
    haul.fetch()
    os.makedirs(home)
    os.rename(a.maildir.path, os.path.join(home, "Maildir"))
    server.own(home)
    b = haul.account("b", protocol="imap", host="localhost", tls="none",
                     port=server.port("imap", "none"), user=user,
                     password=dovecot.PASSWORD, mailboxes=["Größe/x"])
    haul.fetch("b")
    assert b.messages() == [lf(simple(0))]


HOSTILE = [
    "..", ".", "/", "//", "../..", "a/../../b", "/etc/passwd", "a.b", "a/b",
    ".hidden", "...", "a/", "/a", "a//b", "new", "cur", "tmp", "~", "~root", "-rf", "a b", "$(touch x)`id`",
    "x" * 300, "x" * 299 + "y", "/".join(["y"] * 200),
    "&" + "MEIwQjBE" * 40 + "-", "INBOX.a", "inboxes", "InBoX/q", ".a", "..a",
    "maildirfolder", ".mailhaul-1234", "A", "a",
]


NO_NAMES = ["&AC8-", "&AC4ALg-", "&AAoADQ-", "&2D0-x", "\xe4", "a\x01"]


@pytest.mark.parametrize("delimiter", ["/", ".", None])
def test_no_name_leads_out_of_the_maildir(fake, haul, tmp_path, delimiter):
    def session(s, n):
        text = "NIL" if delimiter is None else '"%s"' % delimiter

        def do_list(tag, args):
            if s.words(args)[-1] == "":
                s.say('* LIST (\\Noselect) %s ""' % text)
            else:
                for name in s.boxes:
                    s.say("* LIST () %s %s" % (text, s.quote(name)))
            s.say(tag + " OK done")
        s.do_list = do_list
        return None

    jail = tmp_path / "jail"
    jail.mkdir()
    f = fake("imap", session, mailboxes=["*"], maildir_folders=True,
             maildir=str(jail / "Maildir"))
    for i, name in enumerate(["INBOX"] + HOSTILE + NO_NAMES):
        f.boxes.setdefault(name, model.Box()).add(simple(i))
    haul.fetch()
    assert os.listdir(jail) == ["Maildir"]
    assert not os.path.exists(os.path.join(haul.dir, "x"))
    got = folders(f.maildir)
    mails = [m for v in got.values() for m in v]
    assert sorted(mails) == sorted(
        lf(simple(i)) for i in range(len(HOSTILE) + 1))
    for name, messages in got.items():
        # INBOX.a of some servers is what others call a
        assert len(messages) <= 1 + (name + str(delimiter) == ".a."), name
        if name != "INBOX":
            assert re.fullmatch(r"[ -~]+", name)
            assert not {"", ".", ".."} & set(name[1:].split(".")), name
            assert "/" not in name
    assert f.maildir.files("tmp") == []
    haul.fetch()
    assert folders(f.maildir) == got


def test_without_the_option_all_goes_to_one(fake, haul):
    f = fake("imap", mailboxes=["*"])
    for i, name in enumerate(("INBOX", "a/b", "c")):
        f.boxes.setdefault(name, model.Box()).add(simple(i))
    haul.fetch()
    check(f.maildir, [simple(i) for i in range(3)])
    assert list(folders(f.maildir)) == ["INBOX"]


def test_a_folder_killed_at_every_step(fake, haul, tmp_path):
    f = fake("imap", mailboxes=["*"], maildir_folders=True, after="delete",
             keep_flags=True)
    box = f.boxes["a/b"] = model.Box()
    points = tmp_path / "points"
    box.add(simple(0))
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    n = 1
    there = Maildir(os.path.join(f.maildir.path, ".a.b"))
    for name in sorted(set(points.read_text().split())):
        for nth in range(1, 9):
            for flags in ({"\\Seen"}, set()):
                box.add(simple(n)).flags |= flags
                n += 1
            r = haul.fetch(status=None, env={
                "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": str(nth)})
            if r.status == OK:
                break
            haul.fetch()
            check(there, [simple(i) for i in range(n)])
    haul.fetch()
    check(there, [simple(i) for i in range(n)])
    assert box.octets() == [] and n > 15


# ---- flags ----

FLAGS = [
    (set(), ""), ({"\\Seen"}, "S"), ({"\\Flagged", "\\Seen"}, "FS"),
    ({"\\Answered"}, "R"), ({"\\Draft"}, "D"), ({"\\Recent"}, ""),
    ({"$Junk", "\\Odd", "NonJunk"}, ""),
    ({"\\SEEN", "\\answered", "\\draft", "\\flagged", "kw"}, "DFRS"),
]
DATE = calendar.timegm((2024, 1, 1, 0, 0, 0))


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_flags_and_time_are_kept(fake, haul, after):
    f = fake("imap", keep_flags=True, after=after)
    for i, (flags, _) in enumerate(FLAGS):
        f.box.add(simple(i)).flags |= flags
    with Watch(f.maildir):
        haul.fetch()
    for _ in range(2):
        check(f.maildir, [simple(i) for i in range(len(FLAGS))])
        haul.fetch()
    for path in f.maildir.files():
        with open(path, "rb") as h:
            m = h.read()
        i = [lf(simple(i)) for i in range(len(FLAGS))].index(m)
        wanted = FLAGS[i][1]
        sub, name = path.split("/")[-2:]
        assert (sub == "cur") == (wanted != ""), (i, path)
        assert name.endswith(":2," + wanted) if wanted else ":" not in name
        st = os.stat(path)
        assert st.st_mtime == DATE
        assert stat.S_IMODE(st.st_mode) == 0o600
    if after == "delete":
        assert f.box.octets() == []


def test_flags_are_not_looked_at_unless_asked_for(fake, haul):
    f = fake("imap")
    f.box.add(simple(1)).flags.add("\\Seen")
    haul.fetch()
    assert len(f.maildir.files("new")) == 1 and not f.maildir.files("cur")
    assert time.time() - os.stat(f.maildir.files("new")[0]).st_mtime < 600
    assert not any("FLAGS" in x or "INTERNALDATE" in x for x in f.asked())


def test_flags_of_a_real_server(account, haul):
    a = account("imap", keep_flags=True)
    a.box.add(simple(1), simple(2))
    new = os.path.join(a.box.path, "new")
    name = sorted(os.listdir(new))[0]
    os.rename(os.path.join(new, name), os.path.join(
        a.box.path, "cur", name + ":2,FS"))
    haul.fetch()
    cur, = a.maildir.files("cur")
    assert cur.endswith(":2,FS")
    with open(cur, "rb") as f:
        assert f.read() == lf(simple(1))
    fresh, = a.maildir.files("new")
    with open(fresh, "rb") as f:
        assert f.read() == lf(simple(2))


@pytest.mark.parametrize("option", ["keep_flags", "maildir_folders"])
def test_for_imap_alone(haul, option):
    from haul import CONFIG
    haul.account("a", protocol="pop3", host="localhost", user="u",
                 password="p4ssw", **{option: True})
    r = haul.run(command="check")
    assert r.status == CONFIG
    assert option.replace("_", "-") in r.text


# ---- trace headers ----

def pieces(message, original):
    """The fields in front, each with its name; what follows is untouched."""
    assert message.endswith(lf(original)), message[:600]
    front = message[:len(message) - len(lf(original))].decode()
    fields = re.split(r"\n(?![ \t])", front)
    assert fields.pop() == ""
    assert all(len(line) <= 998 for line in front.split("\n"))
    return [tuple(x.split(": ", 1)) for x in fields]


def traced(fake, haul, protocol, message=None, **options):
    f = fake(protocol, **{"name": "work", "trace": None, **options})
    f.box.add(simple(1) if message is None else message, 7)
    haul.fetch()
    return pieces(f.maildir.messages()[0], f.box.octets()[0])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_that_stands_in_front(fake, haul, protocol):
    got = traced(fake, haul, protocol, recipient="me@example.org")
    assert [n for n, _ in got] == ["Delivered-To", "Received", "X-Mailhaul"]
    assert got[0][1] == "me@example.org"
    received = got[1][1]
    assert received.startswith("from 127.0.0.1\n\tby ")
    for word in (" with %s " % protocol.upper(), "polling work ",
                 "account alice@example.org", "for <me@example.org>;",
                 socket.gethostname()):
        assert word in received, received
    assert ("folder INBOX" in received) == (protocol == "imap")
    when = email.utils.parsedate_to_datetime(received.rsplit(";")[1].strip())
    assert abs(when.timestamp() - time.time()) < 60
    source = "account=work mailbox=INBOX uid=7" if protocol == "imap" else \
        "account=work uid=uidl-7"
    assert got[2][1].split() == source.split()


@pytest.mark.parametrize("trace,wanted", [
    (["none"], []), (["received"], ["Received"]),
    (["source"], ["X-Mailhaul"]), (["delivered-to"], ["Delivered-To"]),
    (["source", "received"], ["Received", "X-Mailhaul"])])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_can_be_switched(fake, haul, protocol, trace, wanted):
    got = traced(fake, haul, protocol, trace=trace, recipient="me@example.org")
    assert [n for n, _ in got] == wanted


def test_no_recipient_no_delivered_to(fake, haul):
    got = traced(fake, haul, "imap")
    assert [n for n, _ in got] == ["Received", "X-Mailhaul"]
    assert "for <" not in got[0][1]


def test_tls_is_told(fake, haul, certs):
    got = traced(fake, haul, "imap", tls="implicit")
    assert " with IMAPS " in got[0][1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_hostile_messages_behind_trace_headers(fake, haul, protocol):
    f = fake(protocol, trace=None, recipient="me@example.org")
    for m in corpus.hostile().values():
        if protocol == "pop3" and m and not m.endswith(b"\r\n"):
            m += b"\r\n"
        f.box.add(m)
    haul.fetch()
    left = [lf(m) for m in f.box.octets()]
    for m in f.maildir.messages():
        front = re.match(rb"Delivered-To: [^\n]*\nReceived: [^\n]*\n"
                         rb"(?:\t[^\n]*\n)*X-Mailhaul: [^\n]*\n"
                         rb"(?:\t[^\n]*\n)*", m)
        left.remove(m[front.end():])
    assert left == []


@pytest.mark.parametrize("header,recipient", [
    (b"Delivered-To: mbox-bob@example.org\r\n", "bob@example.org"),
    (b"delivered-TO:\r\n\t<mbox-bob@example.org>\r\n", "bob@example.org"),
    (b"Delivered-To: eve@example.org\r\n", "eve@example.org"),
    (b"Delivered-To: <a b>\r\nTo: x@example.org\r\n", "fall@example.org"),
    (b"To: x@example.org\r\nCc: y@example.org\r\n", "fall@example.org"),
    (b"Delivered-To: mbox-1@a\r\nDelivered-To: mbox-2@b\r\n", "1@a")])
def test_the_recipient_in_a_header(fake, haul, header, recipient):
    got = traced(fake, haul, "imap", simple(1, header),
                 recipient="fall@example.org",
                 recipient_header="Delivered-To", recipient_prefix="mbox-")
    assert got[0] == ("Delivered-To", recipient)


def test_names_from_a_server_are_cleaned(fake, haul):
    f = fake("pop3", trace=None)
    f.box.add(simple(1)).uidl = "a%b;c\"d)e\\f"
    haul.fetch()
    got = pieces(f.maildir.messages()[0], simple(1))
    assert "uid=a%25b%3Bc%22d%29e%5Cf" in got[1][1]
    g = fake("imap", trace=None, name="b", mailboxes=["*"])
    g.boxes = {"a b(c)\\;\"x&AOQ-": g.box}
    g.box.add(simple(2))
    haul.fetch("b")
    got = pieces(g.maildir.messages()[0], simple(2))
    assert "mailbox=a%20b%28c%29%5C%3B%22x%C3%A4" in got[1][1]
    assert "folder a%20b%28c%29" in got[0][1]
