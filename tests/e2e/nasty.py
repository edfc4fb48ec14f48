#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An MDA that does to its caller whatever a program can do.

    nasty.py STEP... [-- ANYTHING]

The steps are done in order; after the last it exits with status 0. What
stands behind "--" is for "report" only.

    exit=N         end with status N, at once
    signal=N       end by signal N (a number, or a name like KILL)
    hang           sleep until somebody ends us
    sleep=SECONDS
    ignore-term    SIGTERM does nothing from now on
    close-stdin    without having read it
    read=N         read N octets and no more; "read" alone reads all
    grandchild[=SECONDS]
                   leave a process behind, in our group, with all pipes open
    orphan[=SECONDS]
                   the same in a group of its own
    say=TEXT       a line to standard error
    raw=HEX        octets to standard error
    flood[=OCTETS] to standard error, 1 GB when nothing else is said
    flood-out[=OCTETS]
                   the same to standard output
    report=DIR     what we are and what we got: NAME.json and NAME.eml in DIR;
                   both are complete when the .json is there
    log=FILE       append "begin PID NANOSECONDS" to FILE, and with log-end=FILE
    log-end=FILE   the same with "end"
    once=FILE      when FILE is missing make it and go on, else exit with 0: for
                   trouble that goes away
    if-sender=TEXT,  if-recipient=TEXT,  if-mailbox=TEXT,  if-uid=TEXT
                   exit with 0 unless MAILHAUL_... is TEXT
    if-body=TEXT   exit with 0 unless the message has TEXT; stdin is at its
                   start again behind it
"""

import json
import os
import resource
import signal
import stat
import sys
import time

GIGABYTE = 1 << 30
CHUNK = 1 << 16


def signal_number(name):
    return int(name) if name.isdigit() else getattr(signal, "SIG" + name)


def mask(field):
    """A set of signals in /proc/self/status, as sorted numbers."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith(field + ":"):
                bits = int(line.split()[1], 16)
                return [n for n in range(1, 65) if bits >> (n - 1) & 1]
    return None


def status_line(field):
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith(field + ":"):
                return line.split(None, 1)[1].strip()
    return None


def kind(mode):
    for test, name in ((stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"),
                       (stat.S_ISCHR, "device"), (stat.S_ISFIFO, "pipe"),
                       (stat.S_ISSOCK, "socket")):
        if test(mode):
            return name
    return "other"


def descriptors():
    """What is open: the listing's own descriptor is gone when we look."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            st = os.fstat(int(name))
        except OSError:
            continue
        flags = None
        with open("/proc/self/fdinfo/" + name, encoding="ascii") as f:
            for line in f:
                if line.startswith("flags:"):
                    flags = int(line.split()[1], 8)
        found[name] = {
            "target": os.readlink("/proc/self/fd/" + name),
            "kind": kind(st.st_mode), "size": st.st_size,
            "access": ("r", "w", "rw", "?")[flags & 3],
        }
    return found


def limits():
    names = [n for n in dir(resource) if n.startswith("RLIMIT_")]
    return {n: list(resource.getrlimit(getattr(resource, n))) for n in names}


def text(octets):
    """JSON has no octets: what is not UTF-8 survives as \\udcXX."""
    return octets.decode("utf-8", "surrogateescape")


def offset():
    try:
        return os.lseek(0, 0, os.SEEK_CUR)
    except OSError:
        return None  # a pipe


def umask():
    now = os.umask(0)
    os.umask(now)
    return now


def environment():
    """As it was at the start: Python adds to its own (LC_CTYPE)."""
    with open("/proc/self/environ", "rb") as f:
        pairs = [text(x) for x in f.read().split(b"\0") if x]
    return dict(x.split("=", 1) if "=" in x else (x, None) for x in pairs)


def command_line():
    with open("/proc/self/cmdline", "rb") as f:
        return [text(x) for x in f.read().split(b"\0")[:-1]]


def facts():
    return {
        "argv": command_line(),
        "extra": EXTRA,
        "env": environment(),
        "fds": descriptors(),
        "limits": limits(),
        "uid": list(os.getresuid()),
        "gid": list(os.getresgid()),
        "groups": sorted(os.getgroups()),
        "capabilities": status_line("CapEff"),
        "no_new_privs": status_line("NoNewPrivs"),
        "seccomp": status_line("Seccomp"),
        "blocked": mask("SigBlk"),
        # Python itself ignores SIGPIPE and SIGXFSZ: those are in the status
        # of every Python program, and say nothing about its caller
        "ignored": [n for n in mask("SigIgn")
                    if n not in (signal.SIGPIPE, signal.SIGXFSZ)],
        "cwd": os.getcwd(),
        "umask": umask(),
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "pgid": os.getpgid(0),
        "sid": os.getsid(0),
        "offset": OFFSET,
    }


def read_all():
    parts = []
    while True:
        part = os.read(0, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def do_report(directory):
    about = facts()
    name = "%d-%d" % (time.time_ns(), os.getpid())
    message = read_all()
    about["octets"] = len(message)
    path = os.path.join(directory, name)
    with open(path + ".eml", "wb") as f:
        f.write(message)
    with open(path + ".tmp", "w", encoding="ascii") as f:
        json.dump(about, f, indent=1)
    os.rename(path + ".tmp", path + ".json")


def append(path, word):
    line = "%s %d %d\n" % (word, os.getpid(), time.monotonic_ns())
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, line.encode())
    os.close(fd)


def do_read(value):
    if value is None:
        read_all()
        return
    left = int(value)
    while left > 0:
        part = os.read(0, min(left, CHUNK))
        if not part:
            return
        left -= len(part)


def flood(fd, value):
    left = GIGABYTE if value is None else int(value)
    line = b"this line says nothing, many times" + b"!" * 29 + b"\n"
    chunk = line * (CHUNK // len(line))
    while left > 0:
        left -= os.write(fd, chunk[:left])


def grandchild(value, own_group):
    seconds = 100 if value is None else float(value)
    if os.fork() == 0:
        if own_group:
            os.setsid()
        time.sleep(seconds)
        os._exit(0)


def do_signal(value):
    number = signal_number(value)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(100)


def do_once(path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        os._exit(0)


def unless(variable):
    def step(value):
        if os.environ.get("MAILHAUL_" + variable) != value:
            os._exit(0)
    return step


def if_body(value):
    message = read_all()
    os.lseek(0, 0, os.SEEK_SET)
    if os.fsencode(value) not in message:
        os._exit(0)


STEPS = {
    "exit": lambda v: os._exit(int(v)),
    "signal": do_signal,
    "hang": lambda v: [time.sleep(1000) for _ in iter(int, 1)],
    "sleep": lambda v: time.sleep(float(v)),
    "ignore-term": lambda v: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "close-stdin": lambda v: os.close(0),
    "read": do_read,
    "grandchild": lambda v: grandchild(v, False),
    "orphan": lambda v: grandchild(v, True),
    "say": lambda v: os.write(2, os.fsencode(v) + b"\n"),
    "raw": lambda v: os.write(2, bytes.fromhex(v)),
    "flood": lambda v: flood(2, v),
    "flood-out": lambda v: flood(1, v),
    "report": do_report,
    "log": lambda v: append(v, "begin"),
    "log-end": lambda v: append(v, "end"),
    "once": do_once,
    "if-sender": unless("SENDER"),
    "if-recipient": unless("RECIPIENT"),
    "if-mailbox": unless("MAILBOX"),
    "if-uid": unless("UID"),
    "if-body": if_body,
}

OFFSET = offset()  # before anything is read
ARGS = sys.argv[1:]
EXTRA = []
if "--" in ARGS:
    EXTRA = ARGS[ARGS.index("--") + 1:]
    ARGS = ARGS[:ARGS.index("--")]


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for arg in ARGS:
        name, equals, value = arg.partition("=")
        if name not in STEPS:
            sys.exit("nasty.py: no such step: " + name)
        STEPS[name](value if equals else None)
    os._exit(0)


main()
