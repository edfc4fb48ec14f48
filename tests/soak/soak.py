#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make soak T=600 [SEED=n]: a daemon with accounts of all kinds against a
private Dovecot, for T seconds, while mail comes, other clients change what is
there, the server goes and comes back, and processes are killed. Now and then
all has to come to rest, and then everything is counted.

The seed names what is done; when it is done is up to the machine."""

import argparse
import collections
import contextlib
import imaplib
import json
import os
import random
import re
import shutil
import signal
import smtplib
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

# ruff: noqa: E402
import haul as haul_module
from daemon import Daemon
from dovecot import Dovecot
from haul import SLOW, Haul, family
from accounts import Accounts
from steps import HARMS, STEPS, Steps, choose
from traffic import in_tmp

REST_S = 180         # so long may it take until all is delivered
POLL_AFTER_S = 75    # by itself; then it is told to look
FILES_GROWTH = 6     # descriptors of a process, from rest to rest
PSS_GROWTH_KIB = 4096
GIVEN_BACK_S = 120   # what is open for accounts that are idle now
SPOOL_KEPT = 64      # by a deliverer, to be used again
STATES = {"waiting", "connecting", "fetching", "watching", "sleeping",
          "backoff", "throttled", "refused", "paused", "stopped", "leaving",
          "secret"}


def opened(pid):
    """What a process has open, alike things counted together."""
    out = collections.Counter()
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            name = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            out[re.sub("[0-9]+", "0", name)] += 1
    return out


class AtomicHaul(Haul):
    """Its configuration may be read at any time."""

    def write_conf(self, text=None):
        path, self.conf = self.conf, self.conf + ".new"
        super().write_conf(text)
        self.conf = path
        os.rename(path + ".new", path)


class Soak(Accounts, Steps):
    def __init__(self, seconds, seed, directory):
        self.seconds, self.seed = seconds, seed
        self.dir = directory
        os.chmod(directory, 0o755)
        self.began = time.time()
        self.wrong, self.kills = [], []
        self.journal = open(os.path.join(directory, "journal"), "w")
        self.daemon, self.dead, self.commands = None, [], []
        self.killed = {"engine": 0, "deliverer": 0}  # of this supervisor's
        self.first = {}  # figures of each process at its first rest
        self.done = {}
        self.server = Dovecot()
        self.haul = AtomicHaul(directory)
        self.haul.globals.update({
            "log-level": "debug", "max-connections-per-host": 60})
        self.other = None if os.getuid() != 0 else "nobody"

    # ---- what is said ----

    def at(self, when):
        return "%.2f" % (when - self.began)

    def note(self, text, aloud=False):
        line = "%8s  %s" % (self.at(time.time()), text)
        self.journal.write(line + "\n")
        self.journal.flush()
        if aloud:
            print(line, flush=True)

    def complain(self, text):
        self.wrong.append(text)
        self.note("WRONG: " + text, True)

    # ---- accounts ----

    def source(self, rng, down=False):
        """down: mail can be put there without the server."""
        return rng.choice([s for s in self.sources
                           if s.files_told or not down])

    # ---- the daemon ----

    def start(self):
        """As a service manager would: who ends because a deliverer of the
        last one is not gone yet, is started again."""
        for _ in range(50):
            d = Daemon(self.haul, clean=False, ready=False)
            d.start()
            self.killed = {"engine": 0, "deliverer": 0}
            try:
                d.wait_ready(30)
            except AssertionError:
                if d.proc.poll() is None:
                    raise
                self.note("the start ended with %d" % d.proc.returncode)
                self.bury(d)
                time.sleep(0.2)
                continue
            self.daemon = d
            return
        raise AssertionError("it does not start")

    def bury(self, d):
        """Its processes must go; that is looked at later."""
        self.dead.append(d)

    def check_dead(self, all_of_them=False):
        for d in list(self.dead):
            left = d.left()
            end = time.monotonic() + 30 * SLOW
            while all_of_them and left and time.monotonic() < end:
                time.sleep(0.1)
                left = d.left()
            if not left or all_of_them:
                if left:
                    self.complain("they outlive their supervisor: %r" % left)
                    d.kill_all()
                self.dead.remove(d)
                self.put_away(d)

    def put_away(self, d):
        d.log.thread.join(5)
        name = os.path.join(self.dir, "daemon-%s.log" % d.mark_text[14:])
        with open(name, "w") as f:
            f.writelines("%s %s\n" % (self.at(t + self.offset), x)
                         for t, x in zip(d.log.times, d.log.lines))
        try:
            d.check_log()
        except AssertionError as e:
            self.complain("the log: %s" % str(e)[:2000])
        d.close()

    def kills_between(self, start, end, roles):
        return sum(start - 1 <= t <= end + 1 and role in roles
                   for t, role in self.kills)

    def step(self, n, harm):
        rng = random.Random("%d/%d" % (self.seed, n))
        what = choose(rng, HARMS if harm else STEPS)
        self.done[what] = self.done.get(what, 0) + 1
        self.note("%d: %s" % (n, what))
        try:
            said = getattr(self, "do_" + what)(rng)
        except (OSError, imaplib.IMAP4.error, smtplib.SMTPException) as e:
            said = "the server: %r" % e
            self.complain("%d: %s: %r" % (n, what, e))
        self.note("%d: %s: done: %s" % (n, what, said))
        self.reap()

    def status(self):
        s = self.daemon.status()
        for a in s["accounts"]:
            if a["state"] not in STATES:
                self.complain("state %r" % a["state"])
            if a["state"] in ("refused", "stopped", "secret"):
                self.complain("%s: %s: %r" % (
                    a["name"], a["state"], a["error"]))
        return s

    def reap(self, rest=False):
        """Commands that ended; with rest they all have to."""
        left = []
        for began, command, args, p in self.commands:
            if p.poll() is None and not rest:
                left.append((began, command, args, p))
                continue
            r = self.haul.finish(p, began, 120)
            self.note("%s %s: %d %s" % (
                command, " ".join(args), r.status, r.text.strip()))
            # 64: an account that is not there while it is removed
            if r.status not in (0, 64, 69, 75):
                self.complain("%s %s: %r" % (command, " ".join(args), r))
        self.commands = left

    # ---- harm ----

    def end(self):
        self.check_restarts()
        d = self.daemon
        try:
            d.stop()
            self.note("it left in %.1f s" % d.stop_seconds)
        except AssertionError as e:
            self.complain("its end: %s" % str(e)[-3000:])
        self.put_away(d)

    def check_restarts(self):
        """Nobody ended but those who were killed."""
        d = self.status()["daemon"]
        for role in self.killed:
            n = d[role + "_restarts"]
            if n > self.killed[role]:
                self.complain("%d restarts of %s, %d kills" % (
                    n, role, self.killed[role]))

    # ---- rest ----

    def rest(self):
        """All is delivered, by itself, and all is well."""
        self.bring_back()
        self.reap(True)
        r = self.haul.run(command="resume")
        if r.status != 0:
            self.complain("resume: %r" % r)
        began, told = time.monotonic(), False
        while True:
            why = self.unrest()
            took = time.monotonic() - began
            if not why:
                break
            if took > REST_S * SLOW:
                self.check()
                raise AssertionError("no rest: %s" % why)
            if took > POLL_AFTER_S * SLOW:
                if not told:
                    self.note("it is told to look: %s" % why, True)
                    self.check_missed()
                    told = True
                self.haul.run("retry", command="held")
                self.haul.run(command="poll", timeout=120)
            time.sleep(0.5)
        self.note("at rest after %.1f s%s" % (
            took, ", told to look" if told else ""), True)
        self.check()
        self.check_dead(True)
        self.check_restarts()
        self.sample()

    def check(self):
        for s in self.sources:
            s.check()

    def check_missed(self):
        """Mail may wait because something failed; not because nobody
        noticed it."""
        r = self.haul.run("list", "--json", command="held")
        wait = {x["account"] for x in json.loads(r.out or "[]")}
        states = {a["name"]: a for a in self.status()["accounts"]}
        for s in self.sources:
            a = states[s.name]
            if s.pending() and s.name not in wait and not a["error"] and \
                    a["state"] in ("watching", "sleeping"):
                self.complain("%s: %s, but did not notice %r" % (
                    s.name, a["state"], [x.ident for x in s.pending()]))

    def unrest(self):
        out = []
        for s in self.sources:
            n = len(s.pending())
            if n:
                out.append("%s: %d to come" % (s.name, n))
            n = len(s.undeleted())
            if n:
                out.append("%s: %d to be deleted" % (s.name, n))
        for a in self.daemon.status()["accounts"]:
            if a["state"] not in ("watching", "sleeping") or \
                    a["failing"] or a["error"] or a["held"]:
                out.append("%s: %s %s %s" % (
                    a["name"], a["state"], a["held"], a["error"]))
        return out

    def figures(self, pid):
        """Descriptors (but for spool files, of which some are kept) and PSS
        in KiB; the least of some looks, as something may be going on."""
        files, spool, pss = [], [], []
        for _ in range(5):
            with contextlib.suppress(OSError):
                names = opened(pid)
                spool.append(sum(n for x, n in names.items()
                                 if x.endswith(" (deleted)")))
                files.append(sum(names.values()) - spool[-1])
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    pss += [int(x.split()[1]) for x in f
                            if x.startswith("Pss:")]
            time.sleep(0.3)
        if not pss:
            return None
        if min(spool) > SPOOL_KEPT:
            self.complain("%d: %d spool files" % (pid, min(spool)))
        return min(files), min(pss)

    def sample(self):
        now = {("supervisor", self.daemon.proc.pid): None}
        for role in ("engine", "deliverer"):
            now.update({(role, p): None for p in self.daemon.pids(role)})
        for who in now:
            now[who] = self.figures(who[1])
        self.note("descriptors, KiB: " + ", ".join(
            "%s %d: %s" % (*who, f) for who, f in now.items()), True)
        for who, f in now.items():
            self.first.setdefault(who, f)
        return now

    def grown(self):
        """What has more than at its first rest."""
        out = []
        for who, f in self.sample().items():
            first = self.first[who]
            if f is None or first is None:
                continue
            if f[0] > first[0] + FILES_GROWTH:
                out.append("%s %d: descriptors: from %d to %d: %s" % (
                    *who, first[0], f[0], opened(who[1]).most_common(20)))
            if SLOW == 1 and f[1] > first[1] + PSS_GROWTH_KIB:
                out.append("%s %d: KiB: from %d to %d" % (
                    *who, first[1], f[1]))
        return out

    def check_growth(self):
        """What was opened ahead is given back after a while."""
        end = time.monotonic() + GIVEN_BACK_S
        grown = self.grown()
        while grown and time.monotonic() < end:
            time.sleep(5)
            grown = self.grown()
        for x in grown:
            self.complain(x)

    # ---- all of it ----

    def run(self):
        self.offset = time.time() - time.monotonic()
        self.server.start()
        self.accounts()
        self.note("seed %d" % self.seed)
        self.start()
        self.rest()
        rng = random.Random(self.seed)
        end = time.monotonic() + self.seconds
        calm = time.monotonic() + self.seconds * 0.75  # no harm any more
        next_harm = next_rest = 0
        n = 0
        while time.monotonic() < end:
            n += 1
            now = time.monotonic()
            harm = next_harm < now < calm
            if harm and next_harm:
                self.step(n, True)
            else:
                self.step(n, False)
            if harm or not next_harm:
                next_harm = time.monotonic() + rng.expovariate(1 / 4)
            self.check_dead()
            if not next_rest:
                next_rest = now + 30
            if now > next_rest:
                self.rest()
                next_rest = time.monotonic() + 30
            time.sleep(min(2, rng.expovariate(1 / .25)))
        self.rest()
        self.check_growth()
        self.end()
        self.at_the_end()

    def at_the_end(self):
        self.check_dead(True)
        for s in self.sources:
            left = in_tmp(self.maildir(s.name))
            if left:
                self.complain("%s: in tmp/: %r" % (s.name, left))
        held = self.haul.run("list", "--json", command="held")
        if held.status != 0 or json.loads(held.out):
            self.complain("held: %r" % held)
        r = self.haul.run(timeout=120)
        if r.status != 0:
            self.complain("a fetch behind it: %r" % r)
        self.check()
        self.summary()

    def summary(self):
        print("done: " + ", ".join(
            "%d %s" % (n, what) for what, n in sorted(self.done.items())))
        for s in self.sources:
            print("%-9s %5d sent, %d removed by others, %d repeats" % (
                s.name, len(s.sent), sum(x.foreign for x in
                                         s.sent.values()), s.repeats))

    def close(self):
        for _, _, _, p in self.commands:
            p.kill()
            p.communicate()
        for d in [*self.dead, self.daemon]:
            if d is not None and d.proc is not None:
                d.kill_all()
                with contextlib.suppress(Exception):
                    self.put_away(d)
        if self.server.proc is not None:
            for pid in family(self.server.proc.pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGCONT)
        with contextlib.suppress(OSError):
            shutil.copy(os.path.join(self.server.dir, "dovecot.log"),
                        self.dir)
        self.server.stop()
        self.journal.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--seed", type=int)
    p.add_argument("--keep", action="store_true")
    a = p.parse_args()
    seed = a.seed if a.seed is not None else \
        random.SystemRandom().randrange(1 << 31)
    if not os.access(haul_module.MAILHAUL, os.X_OK):
        sys.exit("no program at %s: make all first" % haul_module.MAILHAUL)
    directory = tempfile.mkdtemp(prefix="mailhaul-soak-")
    print("soak: %.0f s, seed %d, in %s" % (a.seconds, seed, directory),
          flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    soak = Soak(a.seconds, seed, directory)
    failed = True
    try:
        soak.run()
        failed = bool(soak.wrong)
    except AssertionError as e:
        soak.complain(str(e))
    finally:
        soak.close()
        if not failed and not a.keep:
            shutil.rmtree(directory)
        print("soak: seed %d: %s" % (seed, "FAILED, see %s" % directory
                                     if failed else "passed"), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
