# SPDX-License-Identifier: ISC
"""Somebody has got into a process, and tries to get further: intruder.c. The
kernel that runs the tests has seccomp and Landlock."""

import os
import re

import pytest

import corpus
from haul import ASAN, BUILD, OK, TEMPFAIL, check

INTRUDER = os.path.join(BUILD, "tests", "e2e", "intruder.so")


def intrude(haul, role, *tries, status=OK):
    """What came of each try, by its first word, and the whole result."""
    r = haul.fetch(status=status, env={
        "LD_PRELOAD": INTRUDER, "MAILHAUL_INTRUDE_IN": role,
        "MAILHAUL_INTRUDE": ",".join(tries)})
    found = re.findall(r"^intruder: (\w+)\S*: (\w+)$", r.text, re.M)
    return dict(found), r


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("of another program of this user\n")
    return str(path)


def test_the_deliverer_has_its_directories_and_nothing_else(
        fake, haul, tmp_path, secret):
    f = fake("imap")
    f.box.add(corpus.message(1))
    came, _ = intrude(
        haul, "deliverer", "read:" + secret, "write:%s/made" % tmp_path,
        "ip", "unix", "exec", "kill", "ptrace")
    assert came == {"read": "EACCES", "write": "EACCES", "ip": "EPERM",
                    "unix": "EPERM", "exec": "EPERM", "kill": "EPERM",
                    "ptrace": "EPERM"}
    assert not os.path.exists(str(tmp_path / "made"))
    check(f.maildir, f.box.octets())


def test_it_has_them_all(fake, haul, tmp_path):
    """Each account's, its mboxes' neighbours, and the state."""
    mbox = tmp_path / "Mail" / "in"
    mbox.parent.mkdir()
    f = fake("imap", name="a")
    g = fake("imap", name="b", mbox=str(mbox))
    f.box.add(corpus.message(1))
    g.box.add(corpus.message(2))
    places = [str(mbox.parent / "x"), haul.state + "/x", f.maildir.path + "/x"]
    intrude(haul, "deliverer", *("write:" + p for p in places))
    assert all(os.path.exists(p) for p in places)


def test_a_local_server_needs_a_socket(fake, haul, relay):
    lmtp = relay(unix=True)
    f = fake("imap", lmtp="unix:" + lmtp.path, recipient="a@b")
    g = fake("imap", name="b")
    f.box.add(corpus.message(1))
    g.box.add(corpus.message(2))
    came, _ = intrude(haul, "deliverer", "unix", "ip")
    assert came == {"unix": "done", "ip": "EPERM"}


def test_a_deliverer_that_runs_programs_has_no_walls(fake, haul, secret):
    """What the programs need is theirs; but nobody gets more rights."""
    f = fake("imap")
    g = fake("imap", name="b", mda=["true"])
    f.box.add(corpus.message(1))
    g.box.add(corpus.message(2))
    came, _ = intrude(haul, "deliverer", "read:" + secret, "ip")
    assert came == {"read": "done", "ip": "done"}


def test_the_engine_uses_no_file_and_no_local_socket(fake, haul, secret):
    f = fake("imap")
    f.box.add(corpus.message(1))
    came, _ = intrude(haul, "engine", "read:" + secret,
                      "read:" + f.maildir.path, "write:" + secret, "unix")
    assert came == {"read": "EPERM", "write": "EPERM", "unix": "EPERM"}
    check(f.maildir, f.box.octets())


@pytest.mark.parametrize("what", ["exec", "kill", "ptrace", "fork"])
def test_the_engine_dies_of_what_it_never_does(fake, haul, what):
    if ASAN and what == "fork":
        pytest.skip("AddressSanitizer forks at the end")
    f = fake("imap")
    f.box.add(corpus.message(1))
    came, r = intrude(haul, "engine", what, status=TEMPFAIL)
    assert came == {}
    assert "Bad system call" in r.text
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_a_maildir_that_is_exchanged_for_another(fake, daemon):
    """As when a disk is mounted: the new one is behind the walls, until
    another deliverer is started. Nothing is lost."""
    f = fake("imap")
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_mail()
        f.idler()
        os.rename(f.maildir.path, f.maildir.path + ".old")
        os.mkdir(f.maildir.path, 0o700)
        f.box.add(corpus.message(2))
        d.wait_log("is another directory than before")
        d.wait_mail(count=1)
    check(f.maildir, [corpus.message(2)])


def test_a_maildir_whose_place_is_missing_at_first(fake, daemon, tmp_path):
    """It is made where it can be; else, later."""
    blocker = tmp_path / "disk"
    blocker.write_text("")
    f = fake("imap", maildir=str(blocker / "Maildir"), interval=10)
    f.box.add(corpus.message(1))
    with daemon(clean=False) as d:
        d.wait_log("disk/Maildir")
        blocker.unlink()
        blocker.mkdir()
        (blocker / "Maildir").mkdir()
        d.command("poll", "a", status=None)
        d.wait_mail(count=1)
    check(f.maildir, [corpus.message(1)])
