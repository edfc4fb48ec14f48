# SPDX-License-Identifier: ISC
"""A home directory of its own for the user that runs the tests, for programs
that ask the system where it is: a mount namespace in which /etc/passwd says
another directory, and other files have others in their place."""

import os
import pwd
import subprocess

import pytest

SHOW = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 99; ' \
    'shift 2; done; shift; exec "$@"'


class Home:
    """.prefix is what is to stand in front of a command to run it there."""

    def __init__(self, directory):
        self.path = os.path.join(str(directory), "home")
        self.binds = []
        self.me = pwd.getpwuid(os.getuid())
        os.makedirs(self.path, mode=0o700)
        lines = ["%s:x:%d:%d::%s:/bin/sh" % (
            self.me.pw_name, self.me.pw_uid, self.me.pw_gid, self.path)]
        with open("/etc/passwd") as f:
            lines += [x for x in f.read().split("\n")
                      if x and not x.startswith(self.me.pw_name + ":")]
        passwd = os.path.join(str(directory), "passwd")
        with open(passwd, "w") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(passwd, 0o644)
        self.bind(passwd, "/etc/passwd")
        if subprocess.run([*self.prefix, "true"],
                          capture_output=True).returncode != 0:
            pytest.skip("no mount namespaces for us here")

    def bind(self, path, over):
        self.binds += [str(path), over]

    @property
    def prefix(self):
        out = ["unshare", "--mount"]
        tail = []
        if os.getuid() != 0:
            out += ["--user", "--map-current-user", "--keep-caps"]
            tail = ["setpriv", "--ambient-caps=-all", "--inh-caps=-all"]
        return [*out, "sh", "-c", SHOW, "sh", *self.binds, "--", *tail]

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path
