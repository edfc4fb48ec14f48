# SPDX-License-Identifier: ISC
"""Other users of this machine, for tests that root runs: alice and bob with
homes of their own, in a mount namespace whose /etc/passwd and /etc/group know
them. A directory that they can get to, too."""

import os
import shutil
import tempfile

from haul import Haul
from home import SHOW

ALICE, BOB, ENGINE, STAFF = 4201, 4202, 4203, 4300


class People:
    """.prefix is what is to stand in front of a command to run it there."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mailhaul-people-")
        os.chmod(self.dir, 0o711)
        self.binds = []
        users = {"alice": ALICE, "bob": BOB, "mailhaul-engine": ENGINE}
        self.add("/etc/passwd", [
            "%s:x:%d:%d::%s:/bin/sh" % (n, i, i, self.home(n))
            for n, i in users.items()])
        self.add("/etc/group", ["staff:x:%d:alice" % STAFF] + [
            "%s:x:%d:" % x for x in users.items()], skip="staff:")
        for name, uid in users.items():
            os.mkdir(self.home(name), 0o700)
            os.chown(self.home(name), uid, uid)

    def add(self, path, lines, skip="\n"):
        with open(path) as f:
            lines = lines + [x for x in f.read().split("\n")
                             if x and not x.startswith(skip)]
        ours = os.path.join(self.dir, os.path.basename(path))
        with open(ours, "w") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(ours, 0o644)
        self.binds += [ours, path]

    @property
    def prefix(self):
        return ["unshare", "--mount", "sh", "-c", SHOW, "sh", *self.binds,
                "--"]

    def home(self, name, *path):
        return os.path.join(self.dir, name, *path)

    def file(self, name, path, text, mode=0o600):
        """One of his, and the directories to it."""
        uid = os.stat(self.home(name)).st_uid
        full, at = self.home(name, path), self.home(name)
        for part in os.path.dirname(path).split("/"):
            at = os.path.join(at, part)
            if part and not os.path.isdir(at):
                os.mkdir(at, 0o700)
                os.chown(at, uid, uid)
        with open(full, "w") as f:
            f.write(text)
        os.chmod(full, mode)
        os.chown(full, uid, uid)
        return full

    def close(self):
        shutil.rmtree(self.dir)


class Own(Haul):
    """What one of them has in his own files: accounts are made as with any
    other."""

    def __init__(self, people, user):
        super().__init__(people.home(user))
        self.people, self.user = people, user
        self.globals = {}

    def write_conf(self, text=None):
        self.people.file(self.user, ".config/mailhaul/mail.conf",
                         self.conf_text() if text is None else text)


def owners(path):
    """Of a directory and all that is in it: pairs of numbers."""
    out = set()
    for at, dirs, files in os.walk(path):
        for name in [".", *dirs, *files]:
            st = os.lstat(os.path.join(at, name))
            out.add((st.st_uid, st.st_gid))
    return out


def modes(path):
    """Of the files in a directory and below it."""
    return {os.stat(os.path.join(at, f)).st_mode & 0o777
            for at, _, files in os.walk(path) for f in files}


def rights(pid):
    """What /proc says of a process, by its own names."""
    with open("/proc/%d/status" % pid) as f:
        return {k: v.split() for k, v in
                (line.split(":", 1) for line in f if ":" in line)}
