# SPDX-License-Identifier: ISC
"""The crash ring with a program: whatever is killed, and whenever, nothing is
lost, a message comes at most once more for each crash, and it is whole."""

import errno
import os
import random
import signal
import subprocess

import pytest

import corpus
from haul import FAULT, OK, family, names_of, until
from mda import Keeper, settle, troubles

MODES = [(p, a) for p in ("imap", "pop3") for a in ("keep", "delete")]
CASES = pytest.mark.parametrize("protocol,after", MODES)


def no_uidl(s, n):
    s.uidl = False


class Ring:
    """An account whose program keeps all, and what was ever on its server."""

    def __init__(self, fake, haul, tmp_path, protocol, after, before="",
                 **options):
        self.haul, self.after = haul, after
        self.keeper = Keeper(tmp_path, before)
        protocol, _, without = protocol.partition(" ")
        self.f = fake(protocol, no_uidl if without else None, after=after,
                      mda=self.keeper.argv, **options)
        self.originals, self.deaths = [], 0

    def add(self, n, size=600):
        for m in corpus.messages(n, seed=len(self.originals) + 1, size=size):
            self.f.box.add(m)
            self.originals.append(m)

    def check(self, all_here):
        self.keeper.rest()
        return self.keeper.check(
            self.originals, self.f.box.octets(), self.deaths, all_here)

    def settle(self):
        settle(self.haul)
        again = self.check(True)
        if self.after == "delete":
            assert self.f.box.octets() == []
        assert troubles(self.haul) == []
        return again


@CASES
def test_killed_at_every_step(fake, haul, tmp_path, protocol, after):
    ring = Ring(fake, haul, tmp_path, protocol, after)
    points = tmp_path / "points"
    ring.add(4)
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    names = sorted(set(points.read_text().split()))
    assert {"deliver:program", "deliver:accepted",
            "deliver:recorded"} <= set(names), names
    ring.check(True)
    for name in names:
        for nth in range(1, 30):
            ring.add(2)
            r = haul.fetch(status=None, env={
                "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": str(nth)})
            if r.status == OK:  # it was not passed that often
                break
            ring.deaths += 1
            ring.check(False)
            settle(haul)
    ring.settle()
    assert ring.deaths >= len(names)


@pytest.mark.parametrize(
    "protocol,after", MODES + [("pop3 without UIDL", "delete")])
def test_a_death_after_the_yes_repeats_and_one_after_the_record_does_not(
        fake, haul, tmp_path, protocol, after):
    ring = Ring(fake, haul, tmp_path, protocol, after)
    for name, repeats in (("deliver:program", 0), ("deliver:accepted", 1),
                          ("deliver:recorded", 0)):
        ring.add(1)
        before = ring.keeper.kept()
        r = haul.fetch(status=None, env={
            "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": "1"})
        assert r.status != OK
        ring.keeper.rest()
        ring.deaths += repeats
        settle(haul)
        ring.check(True)
        assert len(ring.keeper.kept()) == len(before) + 1 + repeats, name


@pytest.mark.parametrize("parallel", [1, 3])
@CASES
def test_killed_at_any_moment(
        fake, haul, tmp_path, protocol, after, parallel):
    rng = random.Random("%s %s %d" % (protocol, after, parallel))
    ring = Ring(fake, haul, tmp_path, protocol, after,
                mda_parallel=parallel)
    longest, killed = 0.1, 0
    for _ in range(8):
        ring.add(6)
        p = haul.start()
        try:
            p.wait(rng.uniform(0, longest))
            longest *= 0.7
        except subprocess.TimeoutExpired:
            # no program: those are asked to keep what they were given whole
            pids = [x for x, n in names_of(family(p.pid)).items()
                    if "mailhaul" in n or x == p.pid]
            for pid in rng.choice((pids, [rng.choice(pids)])):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            longest *= 1.1
            killed += 1
            ring.deaths += parallel
        haul.finish(p)
        ring.check(False)
    ring.settle()
    assert killed > 2


@pytest.mark.parametrize("role", ["engine", "deliver", "supervisor"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_one_process_killed_while_the_program_runs(
        fake, haul, tmp_path, protocol, role):
    ring = Ring(fake, haul, tmp_path, protocol, "delete",
                "touch $d/../begun\nsleep 0.2")
    ring.add(3)
    p = haul.start()
    until((tmp_path / "begun").exists, what="the program")
    for pid, name in names_of(family(p.pid)).items():
        if pid == p.pid if role == "supervisor" else \
                role in name and pid != p.pid:
            os.kill(pid, signal.SIGKILL)
    ring.deaths += 1
    r = haul.finish(p, timeout=20)
    assert r.status != OK
    ring.check(False)
    ring.settle()


def test_the_program_killed_is_tried_again(fake, haul, tmp_path):
    ring = Ring(fake, haul, tmp_path, "imap", "delete",
                "test -e $d/../once || { touch $d/../once; "
                "kill -9 $$; }")
    ring.add(3)
    haul.fetch(status=None)
    assert len(ring.keeper.kept()) == 2
    assert [t["state"] for t in troubles(haul)] == ["later"]
    assert len(ring.f.box.octets()) == 1
    ring.settle()
    assert len(ring.keeper.kept()) == 3


FAULTS = [("write", "1", errno.ENOSPC), ("write", "5+", errno.EIO),
          ("open", "2", errno.EMFILE), ("open", "3+", errno.ENOSPC),
          ("pwrite", "1", errno.ENOSPC), ("pwrite", "6+", errno.EIO),
          ("pwrite", "9", errno.EIO), ("fsync", "1+", errno.EIO),
          ("fdatasync", "2", errno.EIO), ("fdatasync", "4+", errno.ENOSPC)]


@pytest.mark.parametrize("call,nth,number", FAULTS, ids=[
    "%s-%s" % (c, n) for c, n, _ in FAULTS])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_failing_call(fake, haul, tmp_path, protocol, call, nth, number):
    ring = Ring(fake, haul, tmp_path, protocol, "delete")
    ring.add(8)
    r = haul.fetch(status=None, env={
        "LD_PRELOAD": FAULT,
        "MAILHAUL_FAULT": "%s:%s:%d" % (call, nth, number)})
    assert r.status == OK or r.text, "it fails in silence"
    # one may have been accepted that could not be recorded, and no more
    ring.deaths = 1
    ring.check(False)
    ring.settle()
