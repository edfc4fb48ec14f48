#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""idle.py BENCH DIR STEP...: mailhaul run with thousands of sessions in IDLE
over TLS, on the harness's Dovecot. Steps:

  memory   N accounts: PSS of all processes together, per session; CPU while
           nothing happens (but for what Dovecot says every two minutes)
  flood    the same N sessions, then a message to each at once
  latency  one account: from EXISTS, as another session hears it, to new/;
           the same of getmail and fetchmail

$N is the number of sessions (2000), $WATCH the seconds of silence (130),
$COUNT the messages of latency (20). Root, and $MAILHAUL."""

import ctypes
import os
import socket
import statistics
import struct
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

import clients  # noqa: E402
import idle  # noqa: E402
import lib  # noqa: E402

N = int(os.environ.get("N", "2000"))
WATCH = int(os.environ.get("WATCH", "130"))
COUNT = int(os.environ.get("COUNT", "20"))
SENDERS = 4
LIBC = ctypes.CDLL(None, use_errno=True)
MOVED_OR_MADE = 0x180


def say(what, value, unit, goal=""):
    print("%-44s %10s %-4s %s" % (what, value, unit, goal), flush=True)


class Arrivals:
    """Files that appear in new/ of any of the Maildirs, in one inotify."""

    def __init__(self, maildirs):
        self.fd = LIBC.inotify_init1(os.O_CLOEXEC)
        for m in maildirs:
            path = os.path.join(m, "new").encode()
            assert LIBC.inotify_add_watch(self.fd, path, MOVED_OR_MADE) >= 0
        self.times = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            b = os.read(self.fd, 1 << 20)
            now, i = time.monotonic(), 0
            while i < len(b):
                i += 16 + struct.unpack_from("iIII", b, i)[3]
                self.times.append(now)

    def wait(self, n, timeout):
        end = time.monotonic() + timeout
        while len(self.times) < n and time.monotonic() < end:
            time.sleep(0.001)
        return len(self.times) >= n


# ---- many sessions ----

def cpu(pids):
    ps = lib._procs()
    return sum(ps[p][2] for p in pids)


def memory(x):
    say("start of %d sessions" % x.n, "%.1f" % x.took, "s")
    say("  CPU of it", "%.2f" % cpu(x.pids()), "s")
    before, t = cpu(x.pids()), time.monotonic()
    time.sleep(WATCH)
    t = time.monotonic() - t
    used = (cpu(x.pids()) - before) / t * 100
    pss = idle.measure(x.pids())[1]
    say("memory, per session", "%.1f" % (pss / x.n), "KiB", "at most 40")
    say("  all processes", "%.1f" % (pss / 1024), "MiB")
    say("CPU of a core while idle", "%.2f" % used, "%", "below 0.5")


def send_to(e, users, times):
    inj = idle.Inject(e, None)
    for u in users:
        inj.user = u
        times.append(inj.send(1000)[1])
    inj.c.close()


def flood(e, x):
    arrivals, times = Arrivals(x.mds), []
    users = [x.users[i::SENDERS] for i in range(SENDERS)]
    threads = [threading.Thread(target=send_to, args=(e, u, times))
               for u in users]
    before, t = cpu(x.pids()), time.monotonic()
    for th in threads:
        th.start()
    whole = arrivals.wait(x.n, 120)
    for th in threads:
        th.join()
    say("%d messages, one each: all there after" % x.n,
        "%.1f" % (arrivals.times[-1] - t) if whole else "never", "s",
        "at most 15")
    say("  the last of them was sent after", "%.1f" % (max(times) - t), "s")
    say("  CPU of it", "%.2f" % (cpu(x.pids()) - before), "s")
    for u in x.users:
        lib.rm(os.path.join(e["dir"], "mail", u))


def sessions(e, steps):
    x = idle.Idle(e, "mailhaul", "flood%d-" % os.getpid(), N)
    try:
        x.took = x.start() - 5  # it waits so long at the end
        if "memory" in steps:
            memory(x)
        if "flood" in steps:
            flood(e, x)
    finally:
        x.stop()


# ---- latency ----

class Exists(threading.Thread):
    """Another session in IDLE: the times of * n EXISTS."""

    def __init__(self, e, user):
        super().__init__(daemon=True)
        self.s = idle.Bare(e, user).s
        self.times = []
        self.start()

    def stop(self):
        self.s.shutdown(socket.SHUT_RDWR)  # wakes the thread, too
        self.join()
        self.s.close()

    def run(self):
        try:
            while True:
                b = self.s.recv(9999)
                if not b:
                    return
                if b"EXISTS" in b:
                    self.times.append(time.monotonic())
        except OSError:
            pass


def latency_of(e, name):
    user = "lat%d%s" % (os.getpid(), name)
    x = idle.Idle(e, name, user, 1)
    late = []
    try:
        x.start()
        exists = Exists(e, user + "0")
        arrivals = Arrivals(x.mds)
        inj = idle.Inject(e, user + "0")
        for i in range(COUNT):
            time.sleep(2)  # let each finish what it does behind a message
            inj.send()
            if not arrivals.wait(i + 1, 40):
                break
            late.append(arrivals.times[i] - exists.times[i])
        inj.c.close()
        exists.stop()
    finally:
        x.stop()
        lib.rm(os.path.join(e["dir"], "mail", user + "0"))
    return sorted(late)


def latency(e):
    mine = None
    for name in ("mailhaul", "getmail", "fetchmail"):
        late = latency_of(e, name)
        if not late:
            say("EXISTS to new/, " + name, "never", "ms")
            continue
        median = statistics.median(late) * 1000
        mine = mine or median
        say("EXISTS to new/, " + name, "%.1f" % median, "ms",
            "median, at most 20" if name == "mailhaul"
            else "%.0f x mailhaul (at least 5)" % (median / mine))
        say("  9 of 10", "%.1f" % (late[len(late) * 9 // 10] * 1000), "ms")


def main():
    e = lib.env(sys.argv[2])
    steps = sys.argv[3:]
    if "memory" in steps or "flood" in steps:
        sessions(e, steps)
    if "latency" in steps:
        latency(e)


main()
