# SPDX-License-Identifier: ISC
"""The crash ring with an mbox: whatever is killed, and whenever, nothing is
lost, nothing comes twice, and after the next run there is no part of a message
in it; also when others wrote to it in between, then with a repeat at most."""

import contextlib
import errno
import os
import random

import pytest

import corpus
from haul import FAULT, OK, TEMPFAIL
from mbox_file import Mbox, as_read, quiet, spool_is_empty
from test_crash import CASES, kill_within

ROUNDS = 8
BOTH = pytest.mark.parametrize("protocol,after", [
    ("imap", "keep"), ("pop3", "delete")])
THEIRS = b"From other Mon Jan  1 00:00:00 2024\nX: theirs\n\nbody\n\n"


class Ring:
    def __init__(self, fake, haul, tmp_path, protocol, after):
        self.haul, self.after = haul, after
        self.box = Mbox(tmp_path / "mbox")
        self.f = fake(protocol, after=after, mbox=self.box.path)
        self.originals, self.deaths = [], 0

    def add(self, n, size=600):
        for m in corpus.messages(n, seed=len(self.originals) + 1, size=size):
            self.f.box.add(m)
            self.originals.append(m)

    def die(self, name, nth=1):
        """A run that ends there; False if it did not get there."""
        r = self.haul.fetch(status=None, env={
            "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": str(nth)})
        if r.status == OK:
            return False
        self.deaths += 1
        return True

    def settle(self):
        quiet(self.haul, self.box)
        if os.path.exists(self.box.lock):  # the next message takes it over
            self.add(1)
            quiet(self.haul, self.box)
        self.box.check(self.originals)
        assert spool_is_empty(self.haul)
        assert not os.path.exists(self.box.lock)
        if self.after == "delete":
            assert self.f.box.octets() == []


@CASES
def test_killed_at_every_durable_step(
        fake, haul, tmp_path, protocol, after):
    ring = Ring(fake, haul, tmp_path, protocol, after)
    ring.add(5)
    points = tmp_path / "points"
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    names = sorted(set(points.read_text().split()))
    assert {"deliver:appended", "deliver:mbox-synced",
            "deliver:spool-removed"} <= set(names)
    for name in names:
        for nth in range(1, 20):
            ring.add(3)
            if not ring.die(name, nth):
                break
            if nth % 3:  # else death upon death
                ring.settle()
    ring.settle()
    assert ring.deaths >= len(names)


def test_killed_while_recovering(fake, haul, tmp_path):
    ring = Ring(fake, haul, tmp_path, "imap", "delete")
    for first in ("deliver:prepared", "deliver:appended",
                  "deliver:spool-removed"):
        for nth in range(1, 20):
            ring.add(3)
            assert ring.die(first, 1)
            r = haul.fetch(status=None, env={"MAILHAUL_DIE_AT": str(nth)})
            if r.status == OK:
                break
            ring.settle()
    ring.settle()


@pytest.mark.parametrize("who", ["any", "all"])
@CASES
def test_killed_at_any_moment(fake, haul, tmp_path, protocol, after, who):
    rng = random.Random("%s %s %s mbox" % (protocol, after, who))
    ring = Ring(fake, haul, tmp_path, protocol, after)
    longest = 0.1
    for _ in range(ROUNDS):
        ring.add(15, size=2000)
        p = haul.start()
        if kill_within(p, rng, longest, who):
            ring.deaths += 1
            longest *= 1.05
        else:
            longest *= 0.7
        haul.finish(p)
        if rng.random() < 0.3:
            ring.settle()
    ring.settle()
    assert ring.deaths > ROUNDS // 3


@BOTH
def test_a_part_that_was_written_is_taken_back(
        fake, haul, tmp_path, protocol, after):
    """The power failed while it was appended: the file ends anywhere in it."""
    ring = Ring(fake, haul, tmp_path, protocol, after)
    ring.add(2)
    haul.fetch()
    rng = random.Random(protocol)
    for i in range(14):
        before = os.path.getsize(ring.box.path)
        ring.add(1)
        assert ring.die("deliver:appended")
        n = os.path.getsize(ring.box.path) - before
        assert n > 600
        cut = (0, 1, n - 1, n)[i] if i < 4 else rng.randrange(n)
        os.truncate(ring.box.path, before + cut)
        ring.settle()


@pytest.mark.parametrize("where", [
    "deliver:prepared", "deliver:appended", "deliver:mbox-synced",
    "deliver:spool-removed"])
@pytest.mark.parametrize("what", [
    "emptied", "shortened", "rewritten", "removed", "appended", "in-place"])
def test_somebody_changes_it_before_we_are_back(
        fake, haul, tmp_path, where, what):
    """What is his stays; no message of ours that was not in the file as he
    saw it is lost, and at worst those of the interrupted run are there
    twice."""
    ring = Ring(fake, haul, tmp_path, "pop3", "delete")
    ring.add(3)
    haul.fetch()
    old = ring.originals[:]
    ring.add(3)
    assert ring.die(where)
    data = ring.box.octets()
    seen = {
        "emptied": b"", "removed": None, "rewritten": THEIRS,
        "shortened": data[:data.index(b"\nFrom ", 10) + 1],
        "appended": data + THEIRS,
        # as a reader does that sets flags in the first message
        "in-place": data.replace(b"\n", b"\nStatus: RO\n", 1)}[what]
    os.unlink(ring.box.path)
    if seen is not None:
        with open(ring.box.path, "wb") as f:
            f.write(seen)
    quiet(haul, ring.box)
    got = ring.box.messages()
    if what in ("rewritten", "appended"):
        assert got.count(b"X: theirs\n\nbody\n") == 1
        got.remove(b"X: theirs\n\nbody\n")
    if what == "in-place":
        got = [m.replace(b"Status: RO\n", b"", 1) for m in got]
    for m in ring.originals:
        n = got.count(as_read(m))
        if m not in old:
            least = 0 if as_read(m) in data and what in (
                "emptied", "removed", "rewritten", "shortened") else 1
            assert least <= n <= 2, (n, m[:200])
        elif what in ("appended", "in-place"):
            assert n == 1
    assert set(got) <= {as_read(m) for m in ring.originals}
    assert ring.f.box.octets() == [] and spool_is_empty(haul)


@pytest.mark.parametrize("kind", ["dotlock", "fcntl"])
def test_locked_when_we_are_back(fake, haul, tmp_path, kind):
    """What was interrupted is not forgotten, and nothing overtakes it."""
    ring = Ring(fake, haul, tmp_path, "imap", "delete")
    ring.add(3)
    assert ring.die("deliver:prepared")
    ring.add(3)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(ring.box.lock)
    lock = {"dotlock": ring.box.dotlock, "fcntl": ring.box.fcntl_lock}[kind]
    with lock():
        r = haul.fetch(status=TEMPFAIL)
        assert ring.box.path in r.text and "lock" in r.text
        assert ring.box.octets() == b""
        assert len(ring.f.box.octets()) == 6
    ring.settle()
    assert ring.box.messages() == [as_read(m) for m in ring.originals]


@pytest.mark.parametrize("where", ["mbox", "state"])
@pytest.mark.parametrize("call", ["write", "pwrite", "fsync", "fdatasync",
                                  "open", "close", "rename"])
def test_failing_calls(fake, haul, tmp_path, call, where):
    """The n-th such call on the mbox, or in the state directory, with its
    spool, fails, or that and all later ones."""
    ring = Ring(fake, haul, tmp_path, "pop3", "delete")
    part = {"mbox": ring.box.path, "state": haul.state}[where]
    for i, nth in enumerate("1 2 3 4 5 7 9 1+ 2+ 4+".split()):
        ring.add(3)
        r = haul.fetch(status=None, env={
            "LD_PRELOAD": FAULT, "MAILHAUL_FAULT_IN": part,
            "MAILHAUL_FAULT": "%s:%s:%d" % (
                call, nth, errno.EIO if i % 2 else errno.ENOSPC)})
        assert r.status == OK or r.text, "it fails in silence"
        if i % 3 == 2:
            ring.settle()
    ring.settle()
