# SPDX-License-Identifier: ISC
"""The clock that tests of long times go by."""

import subprocess
import time

import corpus
from clock import Clock
from haul import SLOW, TEMPFAIL, UNAVAILABLE, check

PYTHON = "/usr/bin/python3"

# What it hears it does; before and behind, it says what the clocks say.
SHOW = """
import ctypes, select, sys, time
def now():
    print(time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME),
          time.time(), flush=True)
libc = ctypes.CDLL(None)
now()
for line in sys.stdin:
    exec(line)
    now()
"""


class Inside:
    """A program that is shown the clock."""

    def __init__(self, clock):
        self.proc = subprocess.Popen(
            [PYTHON, "-c", SHOW], stdin=subprocess.PIPE, env=clock.env,
            stdout=subprocess.PIPE, text=True)
        self.hear()

    def hear(self):
        self.mono, self.boot, self.wall = [
            float(x) for x in self.proc.stdout.readline().split()]
        return self

    def say(self, what):
        self.proc.stdin.write(what + "\n")
        self.proc.stdin.flush()

    def does(self, what):
        """What passed by (monotonic, boottime, wall, our clock)."""
        before = self.mono, self.boot, self.wall, time.monotonic()
        self.say(what)
        self.hear()
        after = self.mono, self.boot, self.wall, time.monotonic()
        return [b - a for a, b in zip(before, after)]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.proc.stdin.close()
        self.proc.wait()
        self.proc.stdout.close()


WAITS = [
    "select.epoll().poll(30)", "select.poll().poll(30000)", "time.sleep(30)",
    "libc.sleep(30)", "libc.usleep(30000000)"]


def test_waits_end_by_its_speed():
    with Clock(100) as c, Inside(c) as p:
        for wait in WAITS:
            mono, boot, wall, real = p.does(wait)
            assert 29.9 <= mono < 40 * SLOW, wait
            assert abs(mono - boot) < 1
            assert real < 3 * SLOW and abs(wall - real) < 0.5, wait


def test_a_wait_notices_that_time_has_jumped_or_goes_faster():
    for change in (lambda c: c.advance(1000), lambda c: c.speed(20000)):
        with Clock() as c, Inside(c) as p:
            p.say("select.epoll().poll(max(0, %f - time.monotonic()))" %
                  (p.mono + 900))
            time.sleep(0.2)  # most of the time, it waits by now
            change(c)
            was = p.mono
            assert p.hear().mono - was >= 900


def test_it_can_stand_still():
    with Clock(0) as c, Inside(c) as p:
        assert p.does("1")[0] == 0
        p.say("time.sleep(60)")
        time.sleep(0.2)
        c.advance(60)
        c.speed(1000)  # if it had not begun to sleep
        p.hear()


def test_a_suspend_is_seen_by_the_clocks_that_go_on():
    with Clock() as c, Inside(c) as p:
        c.suspend(3600)
        mono, boot, wall, _ = p.does("1")
        assert mono < 10 and 3600 <= boot < 3610 and 3600 <= wall < 3610


def test_the_wall_clock_goes_along_if_it_is_told_to():
    with Clock(100, wall=True) as c, Inside(c) as p:
        mono, _, wall, _ = p.does("time.sleep(20)")
        assert abs(mono - wall) < 1
        c.speed(1)
        c.wall(-7200)
        assert -7200 <= p.does("1")[2] < -7100


def test_a_deadline_of_mailhaul_is_over_when_time_has_passed(fake, haul):
    """A server that says nothing is given up after minutes, at once."""
    def silent(s, n):
        if n > 0:
            return None
        s.greet()
        s.run("UID FETCH *")
        s.p.freeze()  # until the test is over

    f = fake("imap", silent, command_timeout="10m", retries=0)
    f.box.add(corpus.message(1))
    with Clock() as c:
        run = haul.start(env=c.env)
        f.server.wait_for(lambda: any("UID FETCH" in x for x in f.asked()))
        time.sleep(0.3)
        assert run.poll() is None
        c.advance(601)
        r = haul.finish(run)
    assert r.status in (UNAVAILABLE, TEMPFAIL) and r.seconds < 10 * SLOW, r
    haul.fetch()
    check(f.maildir, f.box.octets())
