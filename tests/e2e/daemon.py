# SPDX-License-Identifier: ISC
"""A running "mailhaul run": its log as it comes, its status, its processes,
what it tells a service manager, and its orderly end, which is checked."""

import contextlib
import json
import os
import re
import shutil
import signal as signals
import socket
import struct
import subprocess
import tempfile
import threading
import time

import model
from haul import OK, SLOW, Maildir, family, names_of, until

STOP_S = 20  # so long may an orderly end take

ROLES = {"engine": "mailhaul: engine", "deliverer": "mailhaul: deliverer"}


class NotifySocket:
    """What systemd would hear: .messages, each with the pid that sent it."""

    def __init__(self):
        # a path in a Unix socket's address is short
        self.dir = tempfile.mkdtemp(prefix="mh-notify-")
        os.chmod(self.dir, 0o755)
        self.path = os.path.join(self.dir, "s")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o777)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.messages = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        room = socket.CMSG_SPACE(struct.calcsize("3i"))
        while True:
            data, control, _, _ = self.sock.recvmsg(8192, room)
            if data == b"":
                return
            pid = struct.unpack("3i", control[0][2][:12])[0]
            with self.changed:
                for line in data.decode().split("\n"):
                    if line:
                        self.messages.append((pid, line))
                self.changed.notify_all()

    def lines(self, start=""):
        return [x for _, x in list(self.messages) if x.startswith(start)]

    def wait(self, start, count=1, timeout=20, give_up=lambda: False):
        """Until so many lines that start so were heard; the last of them."""
        with self.changed:
            end = time.monotonic() + timeout * SLOW
            while len(self.lines(start)) < count:
                left = end - time.monotonic()
                assert left > 0 and not give_up(), \
                    "no %r among %r" % (start, self.messages[-20:])
                self.changed.wait(min(left, 0.1))
        return self.lines(start)[-1]

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.path)
        self.thread.join(10)
        self.sock.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Log:
    """Lines as they come, with the time of each."""

    def __init__(self, stream):
        self.stream = stream
        self.lines, self.times = [], []
        self.changed = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.stream:
            with self.changed:
                self.lines.append(
                    line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self.times.append(time.monotonic())
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def find(self, pattern, start=0):
        return [m for m in (re.search(pattern, x)
                            for x in self.lines[start:]) if m]

    def wait(self, pattern, start=0, count=1, timeout=20):
        with self.changed:
            self.changed.wait_for(
                lambda: self.ended or
                len(self.find(pattern, start)) >= count, timeout * SLOW)
            found = self.find(pattern, start)
        assert len(found) >= count, "%d times %r in the log:\n%s" % (
            len(found), pattern, "\n".join(self.lines[start:][-60:]))
        return found[count - 1]

    def text(self):
        return "\n".join(self.lines)


class Daemon:
    """with Daemon(haul) as d: it runs and is ready; at the end it must leave
    in order, and nothing of it may stay. clean: what must be so then, too:
    tmp/ of each Maildir is empty."""

    number = 0

    def __init__(self, haul, *args, env=None, notify=True, clean=True,
                 watchdog_s=None, ready=True):
        self.haul, self.args, self.clean = haul, args, clean
        self.ready = ready and notify
        self.env = dict(env or {})
        self.notify = NotifySocket() if notify else None
        self.watchdog_s = watchdog_s
        self.proc = None
        self.born = {}  # every process of ours that was seen: pid, start
        Daemon.number += 1
        self.mark_text = "MAILHAUL_TEST=%d.%d" % (os.getpid(), Daemon.number)

    # ---- its life ----

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill_all()
            self.close()
            raise

    def start(self):
        env = dict(self.env)
        name, value = self.mark_text.split("=")
        env[name] = value
        if self.notify:
            env["NOTIFY_SOCKET"] = self.notify.path
        if self.watchdog_s:
            env["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1e6))
        self.readies = self.count_ready()
        self.proc = subprocess.Popen(
            self.haul.command_line("run", *self.args),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.haul.environ(env),
            cwd=self.haul.dir)
        self.log = Log(self.proc.stdout)
        if self.ready:
            self.wait_ready()
        return self

    def count_ready(self):
        return len(self.notify.lines("READY=1")) if self.notify else 0

    def wait_ready(self, timeout=20):
        """It has said READY=1 once more since it was started."""
        try:
            self.notify.wait("READY=1", self.readies + 1, timeout,
                             lambda: self.proc.poll() is not None)
        except AssertionError as e:
            raise AssertionError("%s\n%s" % (e, self.log.text())) from None
        self.seen()
        ready = [p for p, x in self.notify.messages if x == "READY=1"]
        assert set(ready[self.readies:]) == {self.proc.pid}

    def signal(self, number):
        self.proc.send_signal(number)

    def stop(self, number=signals.SIGTERM, status=OK):
        """Ends it in order and checks that it was."""
        self.seen()
        began = time.monotonic()
        if self.proc.poll() is None:
            self.signal(number)
        try:
            got = self.proc.wait(STOP_S * SLOW)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError("it does not end in %d s:\n%s" % (
                STOP_S * SLOW, self.log.text()[-6000:])) from None
        self.stop_seconds = time.monotonic() - began
        self.log.thread.join(10 * SLOW)
        assert not self.log.thread.is_alive(), \
            "somebody still holds its standard error: %r" % self.left()
        self.check_log()
        assert got == status, "exit status %d\n%s" % (
            got, self.log.text()[-6000:])
        until(lambda: not self.left(), 10, "the end of %r" % self.left())
        if self.clean:
            self.check_tmp()

    def check_log(self):
        text = self.log.text()
        assert "Sanitizer" not in text, text[-20000:]
        assert "runtime error:" not in text, text[-20000:]
        data = "\n".join(self.log.lines).encode()
        for o in self.haul.accounts.values():
            if o.get("password"):
                assert not model.secrets_in(
                    data, o["password"], o.get("user", "")), text

    def check_tmp(self):
        for name, o in self.haul.accounts.items():
            if "maildir" in o:
                left = Maildir(o["maildir"]).files("tmp")
                assert left == [], "tmp/ of %s: %r" % (name, left)

    def kill(self, number=signals.SIGKILL):
        """It dies, and the others notice by themselves: all are gone."""
        self.seen()
        self.proc.send_signal(number)
        self.proc.wait()
        self.log.thread.join(10 * SLOW)
        until(lambda: not self.left(), 10, "the end of its children")
        self.check_log()

    def kill_all(self):
        if self.proc is None:
            return
        self.seen()
        for pid in self.left():
            with contextlib.suppress(OSError):
                os.kill(pid, signals.SIGKILL)
        self.proc.wait()
        self.log.thread.join(5)

    def close(self):
        if self.notify:
            self.notify.close()
        if self.proc is not None and not self.log.thread.is_alive():
            self.proc.stdout.close()

    def __exit__(self, kind, value, trace):
        try:
            if kind is None and self.proc.returncode is None:
                self.stop()
        finally:
            self.kill_all()
            if kind is not None:
                print(self.log.text()[-20000:])
            self.close()

    # ---- its processes ----

    @staticmethod
    def start_of(pid):
        """When a process was started: with its number, its name for ever."""
        with open("/proc/%d/stat" % pid) as f:
            s = f.read()
        fields = s[s.rindex(")") + 2:].split()
        return None if fields[0] == "Z" else fields[19]

    def seen(self):
        """Notes which processes there are, for the check at the end."""
        for pid in family(self.proc.pid):
            with contextlib.suppress(OSError):
                self.born.setdefault(pid, self.start_of(pid))
        return self.born

    def left(self):
        """Processes of ours that live: known ones, and those that carry our
        mark in what they were started with."""
        out = []
        for p in os.listdir("/proc"):
            if not p.isdigit():
                continue
            with contextlib.suppress(OSError):
                pid, start = int(p), self.start_of(int(p))
                if start is None:
                    continue
                if self.born.get(pid) == start:
                    out.append(pid)
                    continue
                with open("/proc/%s/environ" % p, "rb") as f:
                    if self.mark_text.encode() in f.read().split(b"\0"):
                        out.append(pid)
        return out

    def pids(self, role):
        """Of "engine" or "deliverer"."""
        return [p for p, name in names_of(family(self.proc.pid)).items()
                if name.startswith(ROLES[role])]

    def pid(self, role="supervisor"):
        if role == "supervisor":
            return self.proc.pid
        return until(lambda: self.pids(role), 10, "a new " + role)[0]

    def kill_role(self, role, number=signals.SIGKILL):
        """Ends a child; returns when there is another one."""
        self.seen()
        old = self.pids(role)
        os.kill(old[0], number)
        return until(lambda: [p for p in self.pids(role) if p not in old],
                     20, "a new " + role)[0]

    def files_open(self, role="supervisor"):
        return len(os.listdir("/proc/%d/fd" % self.pid(role)))

    def pss_kib(self, role="supervisor"):
        with open("/proc/%d/smaps_rollup" % self.pid(role)) as f:
            return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))

    # ---- what it says ----

    def mark(self):
        """A place in the log, for start= of wait_log() and logged()."""
        return len(self.log.lines)

    def wait_log(self, pattern, start=0, count=1, timeout=20):
        return self.log.wait(pattern, start, count, timeout)

    def logged(self, pattern, start=0):
        return self.log.find(pattern, start)

    def command(self, command, *args, status=OK, **kw):
        """"mailhaul poll a" and the like, with its exit status."""
        return self.haul.fetch(*args, command=command, status=status, **kw)

    def status(self, *accounts):
        """What "mailhaul status --json" says: (all of it)."""
        r = self.command("status", "--json", *accounts, status=None)
        try:
            return json.loads(r.out)
        except ValueError:
            raise AssertionError("no status: %r" % r) from None

    def account(self, name="a"):
        """What the status says of one account."""
        all_of_it = self.status()
        accounts = all_of_it["accounts"]
        if isinstance(accounts, dict):
            return accounts[name]
        return next(a for a in accounts
                    if name in (a.get("name"), a.get("account")))

    def wait_state(self, name, *states, timeout=20):
        """Until the account is in one of these states; its status then."""
        last = {}

        def there():
            last.clear()
            last.update(self.account(name))
            return last["state"] in states
        try:
            until(there, timeout, "%s is %s" % (name, " or ".join(states)))
        except AssertionError as e:
            raise AssertionError("%s; it is: %r\n%s" % (
                e, last, self.log.text()[-6000:])) from None
        return last

    def wait_mail(self, name="a", count=1, timeout=20):
        """Until so many messages lie in the account's Maildir."""
        m = self.haul.maildir(name)
        try:
            until(lambda: m.count() >= count, timeout,
                  "mail number %d in %s" % (count, name))
        except AssertionError as e:
            raise AssertionError("%s\n%s" % (
                e, self.log.text()[-6000:])) from None
        return m
