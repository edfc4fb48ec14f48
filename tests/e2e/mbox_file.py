# SPDX-License-Identifier: ISC
"""An mbox as other programs see it: read, locked, appended to."""

import collections
import contextlib
import fcntl
import mailbox
import os
import re
import socket
import subprocess
import sys

from haul import OK, lf, short

DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
FROM = re.compile(
    (r"From (\S+) (%s) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n" % DAYS).encode())


def as_read(message):
    """What a reader finds: there is always an end of the last line."""
    m = lf(message)
    return m if m.endswith(b"\n") or not m else m + b"\n"


class Mbox:
    def __init__(self, path):
        self.path = str(path)

    def octets(self):
        try:
            with open(self.path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            return b""

    def parts(self):
        """(From_ line, octets without mboxrd's quoting) of each message;
        there is nothing else in the file."""
        data = self.octets()
        assert data == b"" or data.startswith(b"From "), data[:100]
        assert data == b"" or data.endswith(b"\n\n"), data[-100:]
        at = [0] if data else []
        at += [m.start() + 1 for m in re.finditer(rb"\nFrom ", data)]
        out = []
        for a, b in zip(at, at[1:] + [len(data)]):
            line = data[a:data.index(b"\n", a) + 1]
            assert FROM.fullmatch(line), line
            body = data[a + len(line):b]
            assert body.endswith(b"\n"), body[-100:]
            out.append((line, re.sub(
                rb"(?m)^>(>*From )", rb"\1", body[:-1])))
        return out

    def messages(self):
        return [m for _, m in self.parts()]

    def as_python_reads_it(self):
        box = mailbox.mbox(self.path, create=False)
        try:
            return [re.sub(rb"(?m)^>(>*From )", rb"\1", box.get_bytes(k))
                    for k in box.keys()]
        finally:
            box.close()

    def check(self, originals, left=(), all_here=True, repeats=0):
        """As haul.check()."""
        want = collections.Counter(as_read(m) for m in originals)
        have = collections.Counter(self.messages())
        again = 0
        for m, n in (have - want).items():
            assert m in want, "never on the server: " + short(m)
            again += n
        assert again <= repeats, "%d repeats" % again
        missing = want - have
        if not all_here:
            missing -= collections.Counter(as_read(m) for m in left)
        assert not missing, "%d lost, one of them: %s" % (
            sum(missing.values()), short(next(iter(missing))))
        return again

    # ---- locks, as others take them ----

    @property
    def lock(self):
        return self.path + ".lock"

    @contextlib.contextmanager
    def dotlock(self, text=None):
        """Held by this living process, unless the text says otherwise."""
        if text is None:
            text = "%d:%s" % (os.getpid(), socket.gethostname())
        fd = os.open(self.lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, text.encode())
        os.close(fd)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.lock)

    @contextlib.contextmanager
    def fcntl_lock(self):
        with open(self.path, "ab") as f:
            fcntl.lockf(f, fcntl.LOCK_EX)
            yield f


# Appends messages N to M to an mbox, each under both locks.
APPENDER = """
import fcntl, os, sys, time
path, lo, hi = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(lo, hi):
    with open(path, "ab") as f:
        while True:
            fcntl.lockf(f, fcntl.LOCK_EX)
            try:
                os.close(os.open(path + ".lock",
                                 os.O_WRONLY | os.O_CREAT | os.O_EXCL))
                break
            except FileExistsError:
                fcntl.lockf(f, fcntl.LOCK_UN)
                time.sleep(0.002)
        f.write(b"From other Mon Jan  1 00:00:00 2024\\nX: %d\\n" % i)
        f.flush()
        time.sleep(0.001)
        f.write(b"\\nforeign %d\\n\\n" % i)
        f.flush()
        os.unlink(path + ".lock")
    time.sleep(0.003)
"""


def foreign(i):
    return b"X: %d\n\nforeign %d\n" % (i, i)


def appender(path, lo, hi):
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", APPENDER, str(path), str(lo),
         str(hi)])


def quiet(haul, box, rounds=8):
    """Fetches until a run ends well and brings nothing more."""
    before = None
    for _ in range(rounds):
        r = haul.fetch(status=None)
        if r.status == OK and box.octets() == before:
            return r
        before = box.octets()
    raise AssertionError("it does not come to rest: %r" % r)


def spool_is_empty(haul):
    d = os.path.join(haul.state, "spool", "tmp")
    return not os.path.isdir(d) or os.listdir(d) == []
