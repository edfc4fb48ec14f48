# SPDX-License-Identifier: ISC
"""The crash ring with LMTP: whatever is killed, and whenever, nothing is
lost, no part of a message is taken for one, and each death brings one repeat
at most."""

import errno
import os
import random
import signal

import pytest

import corpus
from haul import FAULT, OK, family, names_of, until
from lmtp_model import BOB, DATA, FULL, for_recipient, settle, states
from test_crash import CASES, kill_within

ROUNDS = 12
ANN = "ann@example.org"


class Ring:
    def __init__(self, fake, relay, haul, protocol, after, capa=DATA,
                 recipients=(BOB,), parallel=1):
        self.haul, self.who, self.parallel = haul, recipients, parallel
        self.r = relay(capa=capa)
        self.f = fake(protocol, after=after, **self.r.options(
            recipients, delivery_parallel=parallel))
        self.after, self.originals, self.deaths = after, [], 0

    def add(self, n):
        for m in corpus.messages(n, seed=len(self.originals) + 1, size=600):
            self.f.box.add(m)
            self.originals.append(m)

    def check(self, **kw):
        return self.r.check(
            self.originals, self.who, left=self.f.box.octets(),
            repeats=self.deaths * self.parallel * len(self.who), **kw)

    def settle(self):
        settle(self.haul)
        self.check()
        assert states(self.haul) == []
        if self.after == "delete":
            assert self.f.box.octets() == []


@CASES
@pytest.mark.parametrize("capa", [DATA, FULL], ids=["data", "bdat"])
def test_killed_at_every_durable_step(
        fake, relay, haul, tmp_path, protocol, after, capa):
    ring = Ring(fake, relay, haul, protocol, after, capa)
    ring.add(5)
    points = tmp_path / "points"
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    ring.check()
    names = sorted(set(points.read_text().split()))
    assert len(names) >= 3, names
    for name in names:
        for nth in range(1, 20):
            ring.add(3)
            r = haul.fetch(status=None, env={
                "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": str(nth)})
            if r.status == OK:
                break
            ring.deaths += 1
            ring.check(all_here=False)
            if nth % 2:
                ring.settle()
    ring.settle()
    assert ring.deaths >= len(names)


@pytest.mark.parametrize("parallel", [1, 3])
@pytest.mark.parametrize("who", ["any", "all"])
@CASES
def test_killed_at_any_moment(
        fake, relay, haul, protocol, after, who, parallel):
    rng = random.Random("%s %s %s lmtp" % (protocol, after, who))
    ring = Ring(fake, relay, haul, protocol, after, parallel=parallel)
    longest = 0.1
    for _ in range(ROUNDS):
        ring.add(15)
        p = haul.start()
        if kill_within(p, rng, longest, who):
            ring.deaths += 1
            longest *= 1.05
        else:
            longest *= 0.7
        haul.finish(p)
        ring.check(all_here=False)
        if rng.random() < 0.3:
            ring.settle()
    ring.settle()
    assert ring.deaths > ROUNDS // 3


@pytest.mark.parametrize("role", ["engine", "deliver", "mailhaul"])
def test_killed_when_the_server_has_said_yes(fake, relay, haul, role):
    """The worst moment: its yes is on the way, and nobody has written it
    down. That message comes again, and no other."""
    ring = Ring(fake, relay, haul, "imap", "delete")
    ring.add(5)
    p = None

    def kill(session, arg):
        if not ring.deaths and len(ring.r.kept) == 2:
            ring.deaths = 1
            for pid, name in names_of(family(p.pid)).items():
                if role in name and (role != "mailhaul" or pid == p.pid):
                    os.kill(pid, signal.SIGKILL)
        return None

    ring.r.rules["body"] = kill
    p = haul.start()
    haul.finish(p)
    assert ring.deaths == 1
    ring.check(all_here=False)
    ring.settle()
    assert ring.check() <= 1


def test_killed_between_two_recipients(fake, relay, haul):
    """One has it, the other was to be asked again; neither is forgotten, and
    who has it is asked again only if that could not be written down."""
    ring = Ring(fake, relay, haul, "imap", "delete", recipients=(ANN, BOB))
    ring.r.rules["rcpt"] = for_recipient({BOB: "450 4.2.0 not now"})
    ring.add(4)
    haul.fetch(status=None)
    assert len(ring.r.octets(ANN)) == 4 and ring.r.octets(BOB) == []
    for nth in range(1, 12):
        r = haul.fetch(status=None, env={"MAILHAUL_DIE_AT": str(nth)})
        if r.status == OK:
            break
    ring.r.rules.clear()
    ring.settle()
    assert len(ring.r.octets(ANN)) == 4  # no repeat: nothing was under way


@CASES
def test_a_signal_in_the_middle(fake, relay, haul, protocol, after):
    """A message that the server is about to take is not left in doubt."""
    ring = Ring(fake, relay, haul, protocol, after)
    ring.add(6)
    told = []

    def tell(session, arg):
        if len(ring.r.kept) == 2 and not told:
            told.append(1)
            p.send_signal(signal.SIGTERM)
            until(lambda: wakes(p.pid), what="the signal's arrival")
        return None

    def wakes(pid):
        with open("/proc/%d/status" % pid) as f:
            pending = [x.split()[1] for x in f if x.startswith("ShdPnd")]
        return not any(int(x, 16) for x in pending)

    ring.r.rules["body"] = tell
    p = haul.start()
    r = haul.finish(p, timeout=20)
    assert told and r.status not in (OK, -signal.SIGTERM), r
    ring.check(all_here=False)
    ring.settle()
    assert ring.check() == 0


@pytest.mark.parametrize("call", ["fsync", "fdatasync", "pwrite"])
def test_a_ledger_that_keeps_nothing(fake, relay, haul, call):
    """What the server has taken and the ledger cannot keep comes once more:
    one message, since no other is given to the server then."""
    ring = Ring(fake, relay, haul, "imap", "delete")
    failed = 0
    for nth in range(1, 9):
        ring.add(5)
        r = haul.fetch(status=None, env={
            "LD_PRELOAD": FAULT, "MAILHAUL_FAULT_IN": haul.state,
            "MAILHAUL_FAULT": "%s:%d+:%d" % (call, nth, errno.ENOSPC)})
        if r.status != OK:
            failed += 1
            ring.deaths += 1
        ring.check(all_here=False)
    ring.settle()
    assert failed or call == "fsync"


@pytest.mark.parametrize("call", ["write", "open", "close"])
def test_a_spool_that_fails(fake, relay, haul, call):
    """No part of a message is given to the server."""
    ring = Ring(fake, relay, haul, "pop3", "delete")
    for nth in "1 2 3 5 8 1+ 3+ 6+".split():
        ring.add(3)
        r = haul.fetch(status=None, env={
            "LD_PRELOAD": FAULT, "MAILHAUL_FAULT": "%s:%s:%d" % (
                call, nth, errno.ENOSPC)})
        assert r.status == OK or r.text, "it fails in silence"
        ring.deaths += r.status != OK
        ring.check(all_here=False)
    ring.settle()
