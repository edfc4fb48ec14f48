# SPDX-License-Identifier: ISC
"""One user's mailhaul in a directory of its own: configuration, state,
Maildirs; runs of the program; and the invariant checker that every test of
crashes and faults uses."""

import collections
import contextlib
import ctypes
import hashlib
import os
import select
import signal
import struct
import subprocess
import threading
import time

import model

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MAILHAUL = os.path.abspath(os.environ.get(
    "MAILHAUL", os.path.join(TOP, "build", "debug", "mailhaul")))
BUILD = os.path.dirname(MAILHAUL)
FAULT = os.path.join(BUILD, "tests", "e2e", "fault.so")
ASAN = "asan" in os.path.basename(BUILD)
SLOW = 4 if ASAN else 1  # deadlines are longer for a slow build

OK, USAGE, UNAVAILABLE, TEMPFAIL, PROTOCOL, NOPERM, CONFIG = \
    0, 64, 69, 75, 76, 77, 78


def lf(message):
    """What becomes of a message on its way: CRLF to LF, nothing else."""
    return message.replace(b"\r\n", b"\n")


def quoted(value):
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


DESTINATIONS = {"maildir", "mda", "lmtp", "smtp", "mbox"}


def conf_value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (list, tuple)):
        return "{%s}" % ", ".join(quoted(x) for x in v)
    if isinstance(v, int):
        return str(v)
    return quoted(str(v))


class Result:
    """How a run ended: .status, .out, .err and both as .text."""

    def __init__(self, status, out, err, seconds):
        self.status, self.seconds = status, seconds
        self.out = out.decode("utf-8", "backslashreplace")
        self.err = err.decode("utf-8", "backslashreplace")
        self.text = self.out + self.err

    def __repr__(self):
        return "exit status %d after %.2f s\n%s" % (
            self.status, self.seconds, self.text[-6000:])


class Maildir:
    def __init__(self, path):
        self.path = str(path)

    def files(self, *subs):
        out = []
        for sub in subs or ("new", "cur"):
            d = os.path.join(self.path, sub)
            if os.path.isdir(d):
                out += [os.path.join(d, f) for f in sorted(os.listdir(d))]
        return out

    def messages(self):
        out = []
        for name in self.files():
            with open(name, "rb") as f:
                out.append(f.read())
        return out

    def count(self):
        return len(self.files())


class Haul:
    def __init__(self, directory):
        self.dir = str(directory)
        self.state = os.path.join(self.dir, "state")
        self.conf = os.path.join(self.dir, "mailhaul.conf")
        self.globals = {"state-dir": self.state}
        self.accounts = collections.OrderedDict()
        self.sections = []  # others than accounts, as text
        self.env = {}
        self.prefix = []  # what it is started by

    def account(self, name="a", **options):
        """Options by their names, with _ for -; maildir is ours, unless
        there is another destination, and messages are compared octet by
        octet."""
        o = {k.replace("_", "-"): v for k, v in options.items()}
        if not DESTINATIONS & o.keys():
            o["maildir"] = os.path.join(self.dir, "Maildir-" + name)
        o.setdefault("trace", ["none"])
        self.accounts[name] = o
        self.write_conf()
        return Maildir(o["maildir"]) if "maildir" in o else None

    def change(self, name="a", **options):
        self.accounts[name].update(
            {k.replace("_", "-"): v for k, v in options.items()})
        self.write_conf()

    def maildir(self, name="a"):
        return Maildir(self.accounts[name]["maildir"])

    def conf_text(self):
        lines = ["%s = %s" % (k, conf_value(v))
                 for k, v in self.globals.items()]
        for name, o in self.accounts.items():
            lines.append("account %s {" % quoted(name))
            lines += ["    %s = %s" % (k, conf_value(v))
                      for k, v in o.items() if v is not None]
            lines.append("}")
        return "\n".join(lines + self.sections) + "\n"

    def write_conf(self, text=None):
        fd = os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(self.conf_text() if text is None else text)

    def environ(self, env):
        e = {k: v for k, v in os.environ.items()
             if not k.startswith(("MAILHAUL_", "LD_PRELOAD"))}
        e.update(self.env)
        e.update(env or {})
        if "LD_PRELOAD" in e and ASAN:
            e["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        return e

    def command_line(self, command, *args):
        return [*self.prefix, MAILHAUL, "-c", self.conf, command, *args]

    def start(self, *args, env=None, command="fetch", **kw):
        """The program, running."""
        return subprocess.Popen(
            self.command_line(command, *args),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environ(env), cwd=self.dir, **kw)

    def finish(self, proc, began=None, timeout=60):
        """Waits for a started run and for all its processes: they hold the
        pipes as long as they live."""
        began = began or time.monotonic()
        try:
            out, err = proc.communicate(timeout=timeout * SLOW)
        except subprocess.TimeoutExpired:
            for pid in family(proc.pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            out, err = proc.communicate()
            raise AssertionError("a run took over %d s:\n%s" % (
                timeout * SLOW, (out + err).decode(errors="replace")[-4000:]))
        r = Result(proc.returncode, out, err, time.monotonic() - began)
        for name, o in self.accounts.items():
            if o.get("password"):
                assert not model.secrets_in(
                    out + err, o["password"], o.get("user", "")), \
                    "a secret was printed: %r" % r
        assert "Sanitizer" not in r.text, r
        assert "runtime error:" not in r.text, r
        return r

    def run(self, *args, timeout=60, **kw):
        began = time.monotonic()
        return self.finish(self.start(*args, **kw), began, timeout)

    def fetch(self, *args, status=OK, **kw):
        """A fetch that must end with this exit status (None: any)."""
        r = self.run(*args, **kw)
        if status is not None:
            wanted = status if isinstance(status, tuple) else (status,)
            assert r.status in wanted, "wanted %s: %r" % (wanted, r)
        return r

    def until_quiet(self, rounds=6):
        """Fetches until a run ends well and brings nothing more."""
        before = None
        for _ in range(rounds):
            r = self.fetch(status=None)
            now = sum(self.maildir(a).count() for a in self.accounts)
            if r.status == OK and now == before:
                return r
            before = now
        raise AssertionError("it does not come to rest: %r" % r)


def family(pid):
    """pid and all its descendants that live."""
    children = collections.defaultdict(list)
    for p in os.listdir("/proc"):
        if not p.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % p) as f:
                s = f.read()
        except OSError:
            continue
        fields = s[s.rindex(")") + 2:].split()
        if fields[0] != "Z":
            children[int(fields[1])].append(int(p))
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        todo += children[p]
    return out


def names_of(pids):
    """What ps shows: the name, and the words it was started with."""
    out = {}
    for p in pids:
        with contextlib.suppress(OSError):
            with open("/proc/%d/cmdline" % p) as f:
                out[p] = f.read().replace("\0", " ").strip()
    return out


def until(condition, timeout=10, what="it"):
    """Polls what no event tells of."""
    end = time.monotonic() + timeout * SLOW
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, what + " does not happen"
        time.sleep(0.005)


# ---- the invariant checker (loss, repeats, bytes, tmp) ----

def short(m):
    return "%d octets %s %r..." % (
        len(m), hashlib.sha256(m).hexdigest()[:8], m[:60])


def check(maildir, originals, left=(), clean_tmp=True, all_here=True):
    """The Maildir against every message that was ever on the server.

    No message is here that never was there, byte for byte (I3); none is here
    twice (I2: equal originals count by number); each is here or still on the
    server (I1), and with all_here simply here; tmp/ is empty (I5)."""
    want = collections.Counter(lf(m) for m in originals)
    have = collections.Counter(maildir.messages())
    for m, n in (have - want).items():
        if m in want:
            raise AssertionError("%d too many of: %s" % (n, short(m)))
        raise AssertionError("never on the server: %s" % short(m))
    missing = want - have
    if not all_here:
        missing -= collections.Counter(lf(m) for m in left)
    if missing:
        raise AssertionError("%d lost, one of them: %s" % (
            sum(missing.values()), short(next(iter(missing)))))
    if clean_tmp:
        assert maildir.files("tmp") == [], maildir.files("tmp")


# ---- a watcher: nothing partial ever appears in new/ (I4) ----

IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_CLOSE_WRITE = 0x2, 0x80, 0x100, 0x8


class Watch:
    """While it is on, a file may come to new/ only by rename, complete, and
    is never written to from then on. inotify loses no event, so there is no
    race between the look and the change."""

    def __init__(self, maildir):
        self.path = os.path.join(maildir.path, "new")
        for sub in ("", "new", "cur", "tmp"):
            d = os.path.join(maildir.path, sub)
            if not os.path.isdir(d):
                os.makedirs(d, 0o700)
        self.wrong = []
        self.came = 0
        self.first = threading.Event()

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_CLOSE_WRITE
        assert self.fd >= 0
        assert libc.inotify_add_watch(
            self.fd, self.path.encode(), mask) >= 0
        self.stop_r, self.stop_w = os.pipe()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while True:
            ready, _, _ = select.select([self.fd, self.stop_r], [], [])
            if self.fd in ready:
                self.events(os.read(self.fd, 1 << 16))
            elif self.stop_r in ready:
                return

    def events(self, data):
        at = 0
        while at < len(data):
            _, mask, _, n = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + n].rstrip(b"\0").decode()
            at += 16 + n
            if mask & IN_MOVED_TO:
                self.came += 1
                self.first.set()
            else:
                self.wrong.append("new/%s: event %#x" % (name, mask))

    def __exit__(self, kind, value, trace):
        os.write(self.stop_w, b"x")
        self.thread.join()
        for fd in (self.fd, self.stop_r, self.stop_w):
            os.close(fd)
        if kind is None:
            assert self.wrong == []
