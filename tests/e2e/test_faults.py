# SPDX-License-Identifier: ISC
"""The disk fails: full, broken, read-only. The account stops with a reason,
nothing is marked, nothing is left in tmp/, nothing repeats."""

import errno
import os
import resource
import subprocess

import pytest

import corpus
from haul import FAULT, OK, TEMPFAIL, check
from mda import settle

CASES = [
    ("write", "1", errno.ENOSPC), ("write", "3", errno.ENOSPC),
    ("write", "4+", errno.ENOSPC), ("write", "2", errno.EIO),
    ("write", "2+", errno.EDQUOT), ("write", "1", errno.EFBIG),
    ("fsync", "1", errno.EIO), ("fsync", "2", errno.EIO),
    ("fsync", "5", errno.EIO), ("fsync", "1+", errno.EIO),
    ("fsync", "3+", errno.ENOSPC), ("fdatasync", "1", errno.EIO),
    ("fdatasync", "2+", errno.EIO), ("rename", "1", errno.EIO),
    ("rename", "3", errno.ENOSPC), ("rename", "2+", errno.EDQUOT),
    ("open", "2", errno.EMFILE), ("open", "4+", errno.ENOSPC),
    ("mkdir", "1", errno.ENOSPC), ("mkdir", "2", errno.EACCES),
    ("close", "3", errno.EIO), ("pwrite", "1", errno.ENOSPC),
    ("pwrite", "4+", errno.ENOSPC), ("pwrite", "9", errno.EIO),
]


@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("call,nth,number", CASES, ids=[
    "%s-%s-%s" % (c, n, errno.errorcode[e]) for c, n, e in CASES])
def test_a_failing_call(fake, haul, call, nth, number, after):
    protocol = "pop3" if len(call + nth) % 2 else "imap"
    f = fake(protocol, after=after)
    for m in corpus.messages(8):
        f.box.add(m)
    originals = f.box.octets()
    r = haul.fetch(status=None, env={
        "LD_PRELOAD": FAULT,
        "MAILHAUL_FAULT": "%s:%s:%d" % (call, nth, number)})
    if r.status != OK:
        assert r.text, "it fails in silence"
    check(f.maildir, originals, f.box.octets(), clean_tmp=False,
          all_here=False)
    settle(haul)  # a file size limit is the trouble of a message: it waits
    haul.until_quiet()
    check(f.maildir, originals)
    if after == "delete":
        assert f.box.octets() == []


def test_the_faults_do_happen(fake, haul):
    for call in ("write", "fsync", "rename"):
        f = fake("imap", name=call)
        f.box.add(corpus.message(1))
        env = {"LD_PRELOAD": FAULT, "MAILHAUL_FAULT": call + ":1+:28"}
        if call != "write":  # the engine cannot ask for a path
            env["MAILHAUL_FAULT_IN"] = "Maildir-" + call
        r = haul.fetch(call, status=TEMPFAIL, env=env)
        assert "No space left" in r.text, r
        assert f.maildir.messages() == []
        assert f.maildir.files("tmp") == []


def test_one_account_without_space_does_not_stop_another(fake, haul):
    a, b = fake("imap", name="full"), fake("imap", name="fine")
    for f in (a, b):
        for m in corpus.messages(5):
            f.box.add(m)
    r = haul.fetch(status=TEMPFAIL, env={
        "LD_PRELOAD": FAULT, "MAILHAUL_FAULT": "fsync:1+:28",
        "MAILHAUL_FAULT_IN": "Maildir-full"})
    assert "full" in r.text
    check(b.maildir, b.box.octets())
    haul.until_quiet()
    check(a.maildir, a.box.octets())


def test_a_file_size_limit(account, haul):
    a = account("imap", after="delete")
    small, big = corpus.message(1), corpus.message(2, size=3_000_000)
    a.box.add(small, big)
    r = haul.fetch(status=TEMPFAIL, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    assert "large" in r.text.lower()
    assert a.maildir.files("tmp") == []
    check(a.maildir, [small], clean_tmp=True)
    assert a.box.messages() == [big]
    settle(haul)
    check(a.maildir, [small, big])


@pytest.fixture
def small_disk(tmp_path):
    d = tmp_path / "disk"
    d.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(d)],
        capture_output=True)
    if done.returncode != 0:
        pytest.skip("a small disk needs root")
    yield d
    subprocess.run(["umount", str(d)], check=True)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_full_disk(account, haul, small_disk, protocol):
    a = account(protocol, after="delete",
                maildir=str(small_disk / "Maildir"))
    mails = corpus.messages(30, size=100_000)
    a.box.add(*mails)
    r = haul.fetch(status=TEMPFAIL)
    assert "No space left" in r.text
    assert a.maildir.files("tmp") == []
    check(a.maildir, mails, a.box.messages(), all_here=False)
    got = []
    for _ in range(20):  # somebody makes room again and again
        for name in a.maildir.files():
            with open(name, "rb") as f:
                got.append(f.read())
            os.unlink(name)
        r = haul.fetch(status=(OK, TEMPFAIL))
        if r.status == OK:
            break
    got += a.maildir.messages()
    assert sorted(got) == sorted(m.replace(b"\r\n", b"\n") for m in mails)
    assert a.box.messages() == []


def test_a_full_disk_for_the_state(account, haul, small_disk):
    haul.state = str(small_disk / "state")
    haul.globals["state-dir"] = haul.state
    a = account("imap", after="delete")
    mails = corpus.messages(10)
    a.box.add(*mails)
    filler = small_disk / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(fd, b"x" * 4096)
    except OSError:
        pass
    os.close(fd)
    r = haul.fetch(status=TEMPFAIL)
    assert r.text
    assert a.maildir.messages() == []
    filler.unlink()
    haul.until_quiet()
    check(a.maildir, mails)


def test_a_maildir_nobody_may_write(account, haul, tmp_path):
    target = tmp_path / "file"
    target.write_text("a file, not a directory")
    a = account("imap", maildir=str(target))
    a.box.add(corpus.message(1))
    r = haul.fetch(status=TEMPFAIL)
    assert str(target) in r.text
    assert target.read_text() == "a file, not a directory"


def test_a_broken_ledger(account, haul):
    a = account("imap", after="delete")
    a.box.add(corpus.message(1))
    haul.fetch()
    ledgers = [os.path.join(t, f) for t, _, fs in os.walk(haul.state)
               for f in fs if os.path.getsize(os.path.join(t, f)) > 1000]
    assert ledgers
    for name in ledgers:
        with open(name, "r+b") as f:
            f.write(b"this is no database" * 50)
    a.box.add(corpus.message(2))
    r = haul.fetch(status=TEMPFAIL)
    assert haul.state in r.text
    assert a.maildir.count() == 1
    assert len(a.box.messages()) == 1
