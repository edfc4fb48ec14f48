# SPDX-License-Identifier: ISC
"""The time that mailhaul sees: faster than ours, ahead by a jump, or
standing still; and a machine that was suspended. See clock.c."""

import mmap
import os
import shutil
import struct
import tempfile
import time

from haul import BUILD, SLOW

CLOCK = os.path.join(BUILD, "tests", "e2e", "clock.so")

HAND = struct.Struct("=IIdqqqq")  # struct hand of clock.c
NS = 10 ** 9


class Clock:
    """with Clock(60) as c: Daemon(haul, env=c.env) lives a minute a second.

    c.speed(1) changes that while it runs (0: time stands still), c.advance(s)
    lets so much of it pass at once. With wall the wall clock goes along, else
    it is the real one, plus what is given to c.wall()."""

    def __init__(self, speed=1, wall=False):
        assert os.path.exists(CLOCK), "make e2e builds %s" % CLOCK
        # where the engine's user can open it, too
        self.dir = tempfile.mkdtemp(prefix="mh-clock-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "hand")
        with open(self.path, "wb") as f:
            f.write(bytes(HAND.size))
        os.chmod(self.path, 0o644)
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), HAND.size)
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self.factor, self.follows = float(speed), bool(wall)
        self.since, self.was = now, now
        self.wall_was = 0
        self.suspended = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now
        self.changes = 0
        self.write()

    def write(self):
        # who reads it sees by the number that it changed meanwhile
        struct.pack_into("@I", self.map, 0, self.changes + 1)
        struct.pack_into("=Idqqqq", self.map, 4, self.follows, self.factor,
                         self.since, self.was, self.wall_was, self.suspended)
        self.changes += 2
        struct.pack_into("@I", self.map, 0, self.changes)

    def settle(self):
        """From now on counts what is written next."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        went = int((now - self.since) * self.factor)
        if self.follows:
            self.wall_was += went - (now - self.since)
        self.since, self.was = now, self.was + went

    def monotonic(self):
        """What CLOCK_MONOTONIC says in there, in seconds."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        return (self.was + (now - self.since) * self.factor) / NS

    def speed(self, factor):
        self.settle()
        self.factor = float(factor)
        self.write()

    def advance(self, seconds):
        """So much time passes at once: all that is due till then is due."""
        self.settle()
        self.was += int(seconds * NS)
        if self.follows:
            self.wall_was += int(seconds * NS)
        self.write()

    def until(self, condition, within, what="it", step=5, pause=0.02):
        """Time passes in steps until condition() is true, so much at most.
        What begins in a step has the next ones to end in, and for each of
        them so much of our time; and a slow machine some more of it."""
        end = self.monotonic() + within
        while not condition():
            late = self.monotonic() >= end
            if not late:
                self.advance(step)
            soon = time.monotonic() + (10 * SLOW if late else pause)
            while not condition() and time.monotonic() < soon:
                time.sleep(0.002)
            assert not late or condition(), \
                "%s does not happen within %d s" % (what, within)

    def pass_by(self, seconds, step=120, pause=0.02):
        """So much time, in steps; three of them without a breath, and the
        supervisor takes the engine for dead."""
        end = self.monotonic() + seconds
        while self.monotonic() < end:
            self.advance(step)
            time.sleep(pause)

    def suspend(self, seconds):
        """The machine slept: CLOCK_MONOTONIC stood still, the others not."""
        self.settle()
        self.suspended += int(seconds * NS)
        self.wall_was += int(seconds * NS)
        self.write()

    def wall(self, seconds):
        """Sets the wall clock forward; or back, when it is negative."""
        self.settle()
        self.wall_was += int(seconds * NS)
        self.write()

    @property
    def env(self):
        return self.with_env({})

    def with_env(self, env):
        """This and what else is to be preloaded."""
        return {**env, "MAILHAUL_TIME": self.path, "LD_PRELOAD":
                ":".join(x for x in (CLOCK, env.get("LD_PRELOAD")) if x)}

    def close(self):
        self.map.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()
