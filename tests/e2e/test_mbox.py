# SPDX-License-Identifier: ISC
"""Mail appended to an mbox."""

import os
import re
import resource
import socket
import stat

import pytest

import corpus
from haul import FAULT, OK, TEMPFAIL, until
from mbox_file import (FROM, Mbox, appender, as_read, foreign, quiet,
                       spool_is_empty)
from test_durable import calls_of
from test_faults import small_disk  # noqa: F401: a fixture

OLD = (b"From old@x.org Sun Dec 31 23:59:59 2023\nSubject: old\n\n"
       b">From quoted\nbody\n\n")


@pytest.fixture
def box(tmp_path):
    return Mbox(tmp_path / "mbox")


def add(f, *mails):
    for m in mails:
        f.box.add(m)
    return list(mails)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_each_octet_can_be_read_back(fake, haul, box, protocol):
    mails = corpus.messages(30) + list(corpus.hostile().values()) + [
        b"From me\r\n\r\nFrom\r\nFrom \r\n>From you\r\n>>>From us\r\n"
        b"> From\r\nfrom me\r\n From me\r\n>from\r\n.From x\r\nFrom:\r\n",
        b"A: b\r\n\r\nFrom", b"A: b\r\n\r\n\r\nFrom ", b"From ", b">From ",
        b"A: b\r\n\r\n>", b"A: b\nFrom bare\n\nFrom bare\nx\rFrom cr\n",
        b"A: b\r\n\r\nends in empty lines\r\n\r\n\r\n"]
    f = fake(protocol, after="delete", mbox=box.path)
    if protocol == "pop3":
        mails = [m if m.endswith(b"\r\n") or not m else m + b"\r\n"
                 for m in mails]
    mails = add(f, *dict.fromkeys(mails))
    haul.fetch()
    wanted = [as_read(m) for m in mails]
    got = box.messages()
    assert sorted(got) == sorted(wanted)
    assert got[:30] == wanted[:30]  # in this order, too
    assert f.box.octets() == [] and spool_is_empty(haul)
    assert sorted(box.as_python_reads_it()) == sorted(wanted)
    assert not re.search(rb"(?m)^From (?!\S+ [MTWFS][a-z]{2} [A-Z])",
                         box.octets())
    assert box.octets().count(b"\r\n") == 0 or any(
        b"\r\r\n" in m for m in mails)


def test_the_from_line(fake, haul, box):
    cases = [(b"Return-Path: <r@x.org>\r\nFrom: f@x.org", b"r@x.org"),
             (b"Return-Path: <>\r\nFrom: f@x.org", b"MAILER-DAEMON"),
             (b"Subject: none", b"MAILER-DAEMON"),
             (b"From: \"A B\" <f@x.org>", b"f@x.org"),
             (b"From: <a b@x.org>", None), (b"From: <a\r\n\tFrom x@y>", None),
             (b"From: \x1b[2J@x.org", None), (b"From: \xff@x.org", None)]
    f = fake("imap", mbox=box.path)
    add(f, *(h + b"\r\n\r\nx\r\n" for h, _ in cases))
    haul.fetch()
    parts = box.parts()
    assert len(parts) == len(cases)
    for (line, _), (head, who) in zip(parts, cases):
        got = FROM.fullmatch(line).group(1)
        assert who in (None, got), head
        assert re.fullmatch(rb"[!-~\x80-\xff]+", got), line


def test_a_new_file_and_an_old_one(fake, haul, box, tmp_path):
    old = Mbox(tmp_path / "old")
    with open(old.path, "wb") as h:
        h.write(OLD)
    os.chmod(old.path, 0o640)
    os.utime(old.path, (1, 1))
    a, b = fake("imap", mbox=box.path), fake("pop3", name="b", mbox=old.path)
    mails = add(a, *corpus.messages(3))
    add(b, *mails)
    haul.fetch()
    for x in (box, old):
        s = os.stat(x.path)
        assert int(s.st_atime) < int(s.st_mtime), "readers see no new mail"
    assert old.octets().startswith(OLD)
    assert len(old.messages()) == 4
    assert stat.S_IMODE(os.stat(box.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(old.path).st_mode) == 0o640
    for x in (box, old):
        assert not os.path.exists(x.lock)


@pytest.mark.parametrize("end", [b"half a line", b"a line\n"])
def test_somebody_elses_half_message(fake, haul, box, end):
    with open(box.path, "wb") as h:
        h.write(OLD + OLD[:60] + end)
    f = fake("imap", mbox=box.path)
    mails = add(f, *corpus.messages(2))
    haul.fetch()
    assert box.octets().startswith(OLD + OLD[:60] + end + b"\n")
    assert box.messages()[2:] == [as_read(m) for m in mails]


def test_two_accounts_share_an_mbox(fake, haul, box):
    a, b = fake("imap", mbox=box.path), fake("pop3", name="b", mbox=box.path)
    mails = add(a, *corpus.messages(40)) + add(
        b, *corpus.messages(40, seed=2))
    haul.fetch()
    box.check(mails)


def test_trace_headers_stand_behind_the_from_line(fake, haul, box):
    f = fake("imap", mbox=box.path, recipient=["bob@example.org"],
             trace=["received", "delivered-to", "source"])
    m, = add(f, corpus.message(1))
    haul.fetch()
    got, = box.messages()
    head = got[:-len(as_read(m))]
    assert got == head + as_read(m)
    assert [x.split(b":")[0] for x in head.split(b"\n")
            if x and not x.startswith((b"\t", b" "))] == [
                b"Delivered-To", b"Received", b"X-Mailhaul"]


# ---- locks ----

def other_account(fake, tmp_path, mails):
    other = Mbox(tmp_path / "other")
    f = fake("pop3", name="other", mbox=other.path)
    add(f, *mails)
    return other


@pytest.mark.parametrize("kind", ["fcntl", "dotlock", "dotlock-elsewhere"])
def test_a_locked_mbox_delays_its_own_account(
        fake, haul, box, tmp_path, kind):
    f = fake("imap", after="delete", mbox=box.path)
    mails = add(f, *corpus.messages(5))
    other = other_account(fake, tmp_path, mails)
    with open(box.path, "wb") as h:
        h.write(OLD)
    held = {"fcntl": box.fcntl_lock, "dotlock": box.dotlock,
            "dotlock-elsewhere": lambda: box.dotlock("1:another.host")}[kind]
    with held():
        p = haul.start()
        until(lambda: other.octets().count(b"\nSubject: ") == 5,
              what="the other account")
        assert box.octets() == OLD and f.box.octets() == mails
        assert p.poll() is None  # it waits, a minute at most
    assert haul.finish(p).status == OK
    other.check(mails)
    assert box.messages()[1:] == [as_read(m) for m in mails]
    assert f.box.octets() == [] and spool_is_empty(haul)


def test_a_signal_while_the_mbox_is_locked(fake, haul, box):
    f = fake("imap", after="delete", mbox=box.path)
    mails = add(f, *corpus.messages(5))
    with box.dotlock():
        p = haul.start()
        until(lambda: f.asked() and "UID FETCH" in f.asked()[-1],
              what="the messages")
        p.terminate()
        s = haul.finish(p, timeout=15)
        assert s.status == TEMPFAIL and s.seconds < 10
        assert f.box.octets() == mails and box.octets() == b""
    quiet(haul, box)
    box.check(mails)
    assert f.box.octets() == [] and spool_is_empty(haul)


@pytest.mark.parametrize("text,age", [
    ("1:another.host", 400), ("", 400), ("PID:HOST", 0)])
def test_a_stale_lock_stops_nobody(fake, haul, box, text, age):
    p = os.fork()
    if p == 0:
        os._exit(0)
    os.waitpid(p, 0)  # this number is nobody's now
    text = text.replace("PID", str(p)).replace("HOST", socket.gethostname())
    f = fake("imap", mbox=box.path)
    mails = add(f, *corpus.messages(2))
    with box.dotlock(text):
        then = os.stat(box.lock).st_mtime - age
        os.utime(box.lock, (then, then))
        haul.fetch()
        box.check(mails)
        assert not os.path.exists(box.lock)


def test_a_directory_that_lets_us_make_no_lock(fake, haul, tmp_path):
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    d = tmp_path / "shut"
    d.mkdir()
    box = Mbox(d / "mbox")
    with open(box.path, "wb") as h:
        h.write(OLD)
    d.chmod(0o555)
    f = fake("imap", mbox=box.path)
    mails = add(f, *corpus.messages(2))
    s = haul.fetch("-v")
    assert "fcntl" in s.text
    assert box.messages()[1:] == [as_read(m) for m in mails]
    d.chmod(0o755)


def test_others_append_meanwhile(fake, haul, box):
    """They lock as one should, and lose nothing; neither do we."""
    f = fake("imap", after="delete", mbox=box.path)
    others = [appender(box.path, i * 60, i * 60 + 60) for i in range(2)]
    mails, busy = [], 0
    while any(p.poll() is None for p in others):
        mails += add(f, *corpus.messages(4, seed=len(mails) + 1, size=3000))
        busy += haul.fetch(status=(OK, TEMPFAIL)).status != OK
    assert [p.wait() for p in others] == [0, 0]
    quiet(haul, box)
    got = box.messages()
    ours = [m for m in got if not m.startswith(b"X: ")]
    assert sorted(m for m in got if m.startswith(b"X: ")) == sorted(
        foreign(i) for i in range(120))
    assert sorted(ours) == sorted(as_read(m) for m in mails)
    assert f.box.octets() == []


# ---- what is no mbox, and what cannot be written ----

@pytest.mark.parametrize("kind", ["symlink", "hard-link", "fifo", "directory"])
def test_what_is_no_mbox_of_ours(fake, haul, box, tmp_path, kind):
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    {"symlink": lambda: os.symlink(target, box.path),
     "hard-link": lambda: os.link(target, box.path),
     "fifo": lambda: os.mkfifo(box.path),
     "directory": lambda: os.mkdir(box.path)}[kind]()
    f = fake("imap", after="delete", mbox=box.path)
    mails = add(f, *corpus.messages(2))
    s = haul.fetch(status=TEMPFAIL)
    assert box.path in s.text
    assert target.read_bytes() == b"precious"
    assert f.box.octets() == mails


def test_a_file_size_limit(fake, haul, box):
    """The file is what it was before, and what did fit is in it."""
    f = fake("imap", after="delete", mbox=box.path)
    mails = add(f, *(corpus.message(i, size=200_000) for i in range(10)))
    limit = 1 << 20
    s = haul.fetch(status=TEMPFAIL, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, limit)))
    assert box.path in s.text and "large" in s.text
    here = box.messages()  # whole ones only
    assert 0 < len(here) < 10
    box.check(mails, left=f.box.octets(), all_here=False)
    assert not os.path.exists(box.lock)
    quiet(haul, box)
    box.check(mails)
    assert f.box.octets() == [] and spool_is_empty(haul)


def test_a_full_disk(fake, haul, small_disk):  # noqa: F811
    box = Mbox(small_disk / "mbox")
    f = fake("pop3", after="delete", mbox=box.path)
    mails = add(f, *(corpus.message(i, size=100_000) for i in range(20)))
    got = []
    for _ in range(20):  # somebody makes room again and again
        s = haul.fetch(status=(OK, TEMPFAIL))
        box.check(mails, left=f.box.octets() + got, all_here=False)
        got += box.messages()
        if s.status == OK:
            break
        assert "No space left" in s.text
        os.truncate(box.path, 0)
    assert sorted(got) == sorted(as_read(m) for m in mails)
    assert f.box.octets() == []


def test_durable_here_before_removed_there(fake, haul, box):
    import time
    asked = []

    def noting(s, n):
        def dele(args, do=s.do_dele):
            asked.append(time.monotonic_ns())
            return do(args)
        s.do_dele = dele

    f = fake("pop3", noting, after="delete", mbox=box.path)
    mails = add(f, *corpus.messages(20))
    os.makedirs(haul.state, mode=0o700)
    log = os.path.join(haul.state, "calls")
    haul.fetch(env={"LD_PRELOAD": FAULT, "MAILHAUL_CALLS": log})
    box.check(mails)
    calls = calls_of(log)
    synced = [t for t, c, name in calls if c == "sync" and name == box.path]
    assert synced and len(asked) == len(mails)
    assert min(asked) > min(synced) and max(asked) > max(synced)
    # the name in its directory, before anything is in the file
    assert [t for t, c, name in calls if c == "sync" and
            name == os.path.dirname(box.path) and t < min(synced)]
    # in the spool and in the ledger, before it is in the mbox
    spool = os.path.join(haul.state, "spool", "tmp")
    assert [t for t, c, name in calls if c == "sync" and name == spool and
            t < min(synced)]
    until(lambda: spool_is_empty(haul), what="an empty spool")
