# SPDX-License-Identifier: ISC
"""For tests of programs that mail is given to: nasty ones, one that keeps
what it gets, what they reported, and what the ledger says of messages that
did not get through."""

import contextlib
import glob
import json
import os
import shlex
import sqlite3
import sys
import urllib.parse

from haul import FAULT, HERE, OK, TEMPFAIL, lf, short, until

NASTY = os.path.join(HERE, "nasty.py")
LATER, HELD, DROPPED = "later", "held", "dropped"
STATES = [LATER, HELD, DROPPED]
WHY = ["refused", "missing", "size"]


def nasty(*steps):
    """The program of nasty.py, as an option's value."""
    return [sys.executable, "-S", "-I", NASTY] + [str(s) for s in steps]


def script(path, text):
    """A shell script: quick to start, when there are many messages."""
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o700)
    return str(path)


def running(word):
    """Processes that have this in their arguments."""
    out = []
    for p in os.listdir("/proc"):
        if p.isdigit() and int(p) != os.getpid():
            with contextlib.suppress(OSError):
                with open("/proc/%s/cmdline" % p, "rb") as f:
                    if os.fsencode(word) in f.read():
                        out.append(int(p))
    return out


class Keeper:
    """A program that accepts all and keeps it, under MAILHAUL_KEY and a
    number that differs with each delivery."""

    def __init__(self, directory, before="", after="exit 0"):
        self.dir = os.path.join(str(directory), "kept")
        os.mkdir(self.dir)
        self.path = script(os.path.join(str(directory), "keeper"), (
            "d=%s\n%s\nf=$d/$MAILHAUL_KEY.$$\n"
            "cat >$f.part && mv $f.part $f || exit 75\n%s\n") % (
                shlex.quote(self.dir), before, after))
        self.argv = [self.path]

    def rest(self):
        """Waits for those that outlived their caller."""
        until(lambda: not running(self.path), 20, "the end of the program")

    def kept(self):
        """(key, octets) of each delivery."""
        out = []
        for name in sorted(os.listdir(self.dir)):
            if not name.endswith(".part"):
                with open(os.path.join(self.dir, name), "rb") as f:
                    out.append((name.split(".")[0], f.read()))
        return out

    def messages(self):
        return [m for _, m in self.kept()]

    def check(self, originals, left=(), repeats=0, all_here=True):
        """No message is here that never was on the server, octet by octet;
        each is here or still there, and with all_here simply here; not more
        than so many came again, each under the key it had before. All the
        originals differ."""
        want = {lf(m) for m in originals}
        assert len(want) == len(originals), "some originals are the same"
        kept = self.kept()
        for _, m in kept:
            assert m in want, "never on the server: %s" % short(m)
        missing = want - {m for _, m in kept}
        if not all_here:
            missing -= {lf(m) for m in left}
        assert not missing, "%d lost, one of them: %s" % (
            len(missing), short(next(iter(missing))))
        again = len(kept) - len({m for _, m in kept})
        assert again <= repeats, "%d repeats" % again
        keys = dict(kept)
        assert len(keys) == len({m for _, m in kept}), "keys do not fit"
        for key, m in kept:
            assert keys[key] == m, "two messages have one key"
        return again


class Report:
    """What nasty.py's report says of one run: its facts are attributes."""

    def __init__(self, path):
        with open(path) as f:
            self.text = f.read()
        self.__dict__.update(json.loads(self.text))
        with open(path[:-5] + ".eml", "rb") as f:
            self.message = f.read()


def reports(directory):
    """In the order of their beginning."""
    return [Report(p) for p in sorted(glob.glob(
        os.path.join(glob.escape(str(directory)), "*.json")))]


def troubles(haul):
    """The ledger's rows of messages that did not get through."""
    path = os.path.join(haul.state, "ledger.sqlite")
    if not os.path.exists(path):
        return []
    uri = "file:%s?mode=ro" % urllib.parse.quote(path)
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        db.row_factory = sqlite3.Row
        rows = [dict(r) for r in db.execute(
            "SELECT trouble.*, account, mailbox FROM trouble "
            "JOIN box ON box.id = trouble.box "
            "ORDER BY account, mailbox, uid, trouble.id")]
    for r in rows:
        r["state"], r["why"] = STATES[r["state"]], WHY[r["why"]]
        r["name"] = r["name"].decode() if isinstance(
            r["name"], bytes) else r["name"]
    return rows


def held(haul, *words, status=OK):
    """A run of mailhaul held."""
    r = haul.run(*words, command="held")
    assert r.status == status, r
    return r


def listed(haul, *account):
    """What mailhaul held --json says."""
    return json.loads(held(haul, "list", "--json", *account).out)


def settle(haul, rounds=8):
    """Fetches until nothing is left to do."""
    for _ in range(rounds):
        r = haul.fetch(status=(OK, TEMPFAIL))
        if r.status == OK and not [t for t in troubles(haul)
                                   if t["state"] == LATER]:
            return
        held(haul, "retry")
    raise AssertionError("it does not come to rest: %r" % r)


def ahead(seconds):
    """The environment of a run that takes place so much later."""
    return {"LD_PRELOAD": FAULT, "MAILHAUL_CLOCK": str(seconds)}
