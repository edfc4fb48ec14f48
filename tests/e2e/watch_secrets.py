# SPDX-License-Identifier: ISC
"""A look-out for secrets where others see them: the arguments, environment
and name of each process, what is printed, and files."""

import base64
import contextlib
import os
import threading
import urllib.parse

PIECE = 12      # so many octets in a row are too many
PAUSE_S = 0.002
READER = "mailhaul: reader"


def forms(secret):
    """The ways in which it may show: as it is, quoted, in base64, alone or
    behind others, in a URL or a form, in hex."""
    raw = secret.encode()
    out = {raw, raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')}
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            digits = code(bytes(before) + raw)
            # without those that are of others, too
            out.add(digits[before and before + 1:].rstrip(b"=")[:-1])
    for how in (urllib.parse.quote, urllib.parse.quote_plus):
        escaped = how(secret, safe="").encode()
        out |= {escaped, escaped.lower()}
    return out | {raw.hex().encode(), raw.hex().upper().encode()}


def pieces(secret):
    out = set()
    for form in forms(secret):
        n = min(PIECE, len(form))
        out |= {form[i:i + n] for i in range(len(form) - n + 1)}
    return out


def read(path):
    with contextlib.suppress(OSError):
        with open(path, "rb") as f:
            return f.read()
    return b""


def children(pid):
    out = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/%d/task" % pid):
            out += read("/proc/%d/task/%s/children" % (pid, task)).split()
    return [int(p) for p in out]


def descendants(pid):
    out, todo = [], [pid]
    while todo:
        found = children(todo.pop())
        out += found
        todo += found
    return out


def name_of(pid):
    return read("/proc/%d/cmdline" % pid).replace(b"\0", b" ").decode(
        "utf-8", "replace").strip()


def files_of(pid):
    """Its descriptors, and what they are."""
    out = {}
    with contextlib.suppress(OSError):
        for fd in os.listdir("/proc/%d/fd" % pid):
            with contextlib.suppress(OSError):
                out[int(fd)] = os.readlink("/proc/%d/fd/%s" % (pid, fd))
    return out


def core_limit(pid):
    line, = [x for x in read("/proc/%d/limits" % pid).decode().splitlines()
             if x.startswith("Max core file size")]
    return line.split()[4:6]


def makes_no_core(pid):
    """Neither a core, nor may another process of the user look into it: then
    what is in /proc is root's."""
    hidden = os.geteuid() == 0 or \
        os.stat("/proc/%d/environ" % pid).st_uid == 0
    return core_limit(pid) == ["0", "0"] and hidden


class Watch:
    """While it is open it looks, again and again, at all processes that come
    from this one, and at each other one of our user when it appears.

    secrets: {what it is: the text}. holders: files that have them: none of
    mailhaul's parts keeps one open. .seen has what each process was called,
    by its number."""

    def __init__(self, secrets, holders=()):
        self.pieces = {}
        for what, text in secrets.items():
            self.add(what, text)
        self.holders = {os.path.realpath(h) for h in holders}
        self.found, self.seen = set(), {}
        self.known, self.looked = set(), set()
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    # ---- what has a secret ----

    def add(self, what, text):
        """One that nobody had before."""
        self.pieces = {**self.pieces, **dict.fromkeys(pieces(text), what)}
        return text

    def whose(self, data):
        """Which secrets are in there."""
        return {what for piece, what in self.pieces.items() if piece in data}

    def scan(self, where, data):
        for what in self.whose(data):
            self.found.add("%s: %s" % (where, what))

    def printed(self, *texts):
        for text in texts:
            data = text.encode("utf-8", "surrogateescape")
            # also what is cut in two by the end of a line
            self.scan("output", data)
            for line in data.splitlines() if self.whose(data) else []:
                self.scan("output %r" % line, line)

    def files(self, top):
        """Only holders have secrets, and nobody else may read those."""
        for at, _, names in os.walk(top):
            for name in names:
                path = os.path.join(at, name)
                mode = os.lstat(path).st_mode
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                if os.path.realpath(path) not in self.holders:
                    self.scan(path, read(path))
                elif mode & 0o077:
                    self.found.add("%s may be read by others" % path)

    # ---- processes ----

    def look_at(self, pid):
        name = name_of(pid)
        for what in ("cmdline", "environ", "comm"):
            data = read("/proc/%d/%s" % (pid, what))
            if (what, data) not in self.looked:
                self.looked.add((what, data))
                self.scan("%s of %s" % (what, name or pid), data)
        return name

    def look_into(self, pid):
        name = self.look_at(pid)
        if name and self.seen.get(pid) != name:
            with self.changed:
                self.seen[pid] = name
                self.changed.notify_all()
        # the first of them reads it; the reader is there to do it
        if name.startswith("mailhaul: ") and name != READER:
            for path in files_of(pid).values():
                if path in self.holders:
                    self.found.add("%s holds %s" % (name, path))

    def once(self):
        ours = descendants(os.getpid())
        for pid in ours:
            self.look_into(pid)
        now = {int(p) for p in os.listdir("/proc") if p.isdigit()}
        for pid in now - self.known - set(ours):
            with contextlib.suppress(OSError):
                if os.stat("/proc/%d" % pid).st_uid == os.geteuid():
                    self.look_at(pid)
        self.known = now

    def look(self):
        while not self.over.wait(PAUSE_S):
            self.once()

    def wait(self, name, timeout=20):
        """Until there is, or was, a process with this in its words."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: any(name in x for x in self.seen.values()),
                timeout), "no %s among %r" % (name, self.seen)

    def pids(self, name):
        return [p for p, x in list(self.seen.items()) if name in x]

    # ---- its life ----

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.over.set()
        self.thread.join()
        if kind is None:
            assert not self.found, "\n".join(sorted(self.found))
