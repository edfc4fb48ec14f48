# SPDX-License-Identifier: ISC
"""The accounts of the soak: one of each kind."""

import os
import pwd

from mda import Keeper
from traffic import Source, maildir_files

# whose death may repeat a delivery to a program, and to a server
PROGRAM = ("deliverer", "supervisor")
RELAY = ("engine", "deliverer", "supervisor", "server")


class Accounts:
    """Of a Soak."""

    def maildir(self, name):
        d = os.path.join(self.dir, "to-" + name)
        return os.path.join(d, "Maildir")

    def into_maildir(self, name, protocol, boxes=("INBOX",), run_as=None, **o):
        d = self.maildir(name)
        os.mkdir(os.path.dirname(d))
        if run_as:
            self.give(os.path.dirname(d))
            o["run_as"] = run_as
        return Source(self, name, protocol, boxes, lambda: maildir_files(d),
                      maildir=d, **o)

    def give(self, path):
        who = pwd.getpwnam(self.other)
        for p in [path] + [os.path.join(d, f) for d, dirs, files in
                           os.walk(path) for f in dirs + files]:
            os.chown(p, who.pw_uid, who.pw_gid)

    def into_program(self, name, protocol, parallel, **o):
        d = os.path.join(self.dir, "to-" + name)
        os.mkdir(d)
        keeper = Keeper(d, after="exit 0")
        if self.other:
            os.chmod(keeper.path, 0o755)
            self.give(d)
            o["run_as"] = self.other

        def find():
            return {f: os.path.join(keeper.dir, f)
                    for f in os.listdir(keeper.dir) if f[-5:] != ".part"}
        return Source(self, name, protocol, ("INBOX",), find,
                      PROGRAM, parallel, mda=keeper.argv,
                      mda_parallel=parallel, **o)

    def into_lmtp(self, name, protocol, boxes=("INBOX",), **o):
        user = "got-%s@example.org" % name
        box = self.server.box(user)
        return Source(self, name, protocol, boxes, box.files, RELAY,
                      lmtp="unix:" + self.server.lmtp_socket,
                      recipient=user, **o)

    def accounts(self):
        three = ("INBOX", "Lists/a", "Lists/b")
        other = {"run_as": self.other} if self.other else {}
        many = ("INBOX", *("Box/%d" % i for i in range(8)))
        self.sources = [
            self.into_maildir("idle", "imap", three, notify=False),
            self.into_maildir("idle-del", "imap", ("INBOX", "Sub"),
                              notify=False, after="delete", **other),
            self.into_maildir("notify", "imap", many, maildir_folders=True),
            self.into_maildir("single", "imap", three, notify=False,
                              max_connections=1, interval="10s",
                              after="delete"),
            self.into_maildir("poll", "imap", many, watch="poll",
                              interval="10s", after="delete"),
            self.into_maildir("pop", "pop3", interval="10s"),
            self.into_maildir("pop-del", "pop3", interval="10s",
                              after="delete", **other),
            self.into_program("mda", "imap", 1, after="delete"),
            self.into_program("mda4", "pop3", 4, interval="10s"),
            self.into_lmtp("lmtp", "imap", after="delete"),
            self.into_lmtp("lmtp-pop", "pop3", interval="10s")]
        self.configured = dict(self.haul.accounts)
