# SPDX-License-Identifier: ISC
"""The mail of the soak: accounts on a private Dovecot, what was sent to them
in which way, where it ends up, and what must be so at any time."""

import collections
import contextlib
import imaplib
import os
import re
import smtplib
import time

import corpus
from dovecot import PASSWORD
from haul import lf

ID = re.compile(rb"^X-Soak: (\S+)\r?\n", re.M)


class Sent:
    """A message that was put on the server."""

    def __init__(self, ident, raw, exact):
        self.ident = ident
        self.exact = exact  # nothing was put in front of it on its way
        self.raw = lf(raw)
        self.when = time.time()
        self.due = True       # it must be delivered
        self.foreign = False  # another client removed it
        self.came = 0         # deliveries that were seen
        self.wrong = set()    # was said of it already


def wrong_octets(sent, data):
    """Who got it by LMTP has put trace headers in front; all else is as it
    was sent."""
    data = lf(data)
    if sent.exact:
        return data != sent.raw
    at = data.find(b"X-Soak: ")
    return at < 0 or data[at:] != sent.raw


class Files:
    """Messages in directories, each read once: names are never used again,
    and what follows a colon may change."""

    def __init__(self, find):
        self.find, self.known = find, {}

    def look(self):
        """base name -> (id or None, octets, time)"""
        out = {}
        for base, path in self.find().items():
            if base not in self.known:
                try:
                    with open(path, "rb") as f:
                        data = f.read()
                    when = os.stat(path).st_mtime
                except FileNotFoundError:
                    continue  # renamed; there is another look
                m = ID.search(data[:20000])
                self.known[base] = (m and m.group(1).decode(), data, when)
            out[base] = self.known[base]
        return out

    def by_id(self):
        out = collections.defaultdict(list)
        for ident, data, when in self.look().values():
            out[ident].append((data, when))
        return out


def maildir_files(top):
    """Of a Maildir and its folders."""
    out = {}
    for d in [top] + [os.path.join(top, x) for x in (
            os.listdir(top) if os.path.isdir(top) else [])
            if x.startswith(".")]:
        for sub in ("new", "cur"):
            with contextlib.suppress(OSError):
                for f in os.listdir(os.path.join(d, sub)):
                    out[os.path.join(d, f.split(":")[0])] = \
                        os.path.join(d, sub, f)
    return out


def in_tmp(top):
    return [os.path.join(d, f) for d, _, files in os.walk(top)
            for f in files if os.path.basename(d) == "tmp"]


class Source:
    """An account, its mailboxes, and its destination. repeaters: whose death
    may have a message that is being delivered come again; at_a_time: how many
    may be."""

    def __init__(self, soak, name, protocol, boxes, files, repeaters=(),
                 at_a_time=1, **options):
        self.soak, self.name, self.protocol = soak, name, protocol
        self.repeaters, self.at_a_time = repeaters, at_a_time
        self.user = "soak-" + name
        self.boxes = {b: soak.server.box(self.user, b) for b in boxes}
        self.files = Files(files)
        self.server_files = Files(self.find_on_server)
        self.sent = {}
        self.last_number = 0
        self.repeats = 0
        self.options = dict(
            protocol=protocol, host="localhost",
            port=soak.server.port(protocol, "implicit"), user=self.user,
            password=PASSWORD, tls_ca_file=soak.server.ca,
            **options)
        if protocol == "imap":
            self.options["mailboxes"] = list(boxes)
        self.deletes = options.get("after") == "delete"
        # NOTIFY does not tell of files that Dovecot has not put there
        self.files_told = "maildir_folders" not in options
        soak.haul.account(name, **self.options)

    # ---- sending ----

    def make(self, rng, size, exact):
        self.last_number += 1
        n = self.last_number
        ident = "%s/%d" % (self.name, n)
        raw = b"X-Soak: %s\r\n" % ident.encode() + corpus.message(
            n, seed=rng.getrandbits(30), size=size)
        self.sent[ident] = Sent(ident, raw, exact)
        return raw

    def deliver(self, rng, count=1, size=None, way=None):
        box = self.boxes[rng.choice(sorted(self.boxes))]
        way = way or rng.choice(["file", "file", "append", "lmtp"])
        if way == "file" and not self.files_told:
            way = "append"
        exact = way != "lmtp" and "lmtp" not in self.options
        mail = [self.make(rng, size, exact) for _ in range(count)]
        if way == "file":
            box.add(*mail)
        elif way == "append":
            with self.client() as c:
                for raw in mail:
                    ok(c.append(quoted(box.name), None, None, raw))
        else:
            with smtplib.LMTP("127.0.0.1", self.soak.server.lmtp) as s:
                for raw in mail:
                    s.sendmail("a@example.org", [self.user], raw)
        return "%s: %d by %s into %s" % (self.name, count, way, box.name)

    # ---- what another client does ----

    @contextlib.contextmanager
    def client(self):
        c = imaplib.IMAP4("127.0.0.1", self.soak.server.imap, timeout=60)
        try:
            ok(c.login(self.user, PASSWORD))
            yield c
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                c.logout()

    def some(self, c, rng, count):
        """UIDs of some messages of a selected mailbox."""
        uids = ok(c.uid("SEARCH", "ALL"))[0].split()
        return [u.decode() for u in rng.sample(uids, min(count, len(uids)))]

    def flags(self, rng):
        with self.client() as c:
            name = rng.choice(sorted(self.boxes))
            ok(c.select(quoted(name)))
            uids = self.some(c, rng, 5)
            flags = rng.choice(
                ["\\Seen", "\\Flagged", "\\Answered", "$Label1", "Junk"])
            if uids:
                c.uid("STORE", ",".join(uids), rng.choice("+-") + "FLAGS",
                      "(%s)" % flags)
            return "%s: %s of %d in %s" % (
                self.name, flags, len(uids), name)

    def expunge(self, rng):
        """What another client removes need not be delivered any more, unless
        it was."""
        with self.client() as c:
            name = rng.choice(sorted(self.boxes))
            ok(c.select(quoted(name)))
            uids = self.some(c, rng, rng.choice([1, 1, 2, 5]))
            if not uids:
                return "%s: nothing in %s" % (self.name, name)
            for part in ok(c.uid("FETCH", ",".join(uids),
                                 "(BODY.PEEK[HEADER.FIELDS (X-SOAK)])")):
                m = isinstance(part, tuple) and re.search(
                    rb"X-Soak: (\S+)", part[1], re.I)
                if m:
                    s = self.sent[m.group(1).decode()]
                    s.foreign = True
                    s.due = len(self.files.by_id()[s.ident]) > 0
            c.uid("STORE", ",".join(uids), "+FLAGS", "(\\Deleted)")
            c.uid("EXPUNGE", ",".join(uids))
            return "%s: expunged %s of %s" % (self.name, uids, name)

    # ---- what must be so ----

    def find_on_server(self):
        out = {}
        for b in self.boxes.values():
            out.update({b.name + "/" + k: v for k, v in b.files().items()})
        return out

    def on_server(self):
        return set(self.server_files.by_id())

    def pending(self):
        have = self.files.by_id()
        return [s for s in self.sent.values()
                if s.due and s.ident not in have]

    def undeleted(self):
        return sorted(self.on_server()) if self.deletes else []

    def complain(self, sent, what):
        if what not in sent.wrong:
            sent.wrong.add(what)
            self.soak.complain("%s: %s (sent at %s)" % (
                sent.ident, what, self.soak.at(sent.when)))

    def lost(self):
        """Neither on the server nor here: those that somebody else has not
        removed. The server first: what it has no more must be here."""
        there = self.on_server()
        here = self.files.by_id()
        return [s for s in self.sent.values()
                if s.due and s.ident not in there and s.ident not in here]

    def check(self):
        gone = self.lost()
        for _ in range(5):  # a directory that changes may hide a file
            if gone:
                time.sleep(0.2)
                again = self.lost()
                gone = [s for s in gone if s in again]
        for s in gone:
            self.complain(s, "LOST: it is neither there nor here")
        here = self.files.by_id()
        for ident, copies in here.items():
            if ident not in self.sent:
                self.soak.complain("%s: never sent: %r" % (
                    self.name, copies[0][0][:200]))
                continue
            self.check_copies(self.sent[ident], copies)
        self.repeats = sum(len(c) - 1 for c in here.values())
        kills = self.soak.kills_between(0, time.time(), self.repeaters)
        if self.repeats > kills * self.at_a_time:
            self.soak.complain("%s: %d repeats, %d kills" % (
                self.name, self.repeats, kills))

    def check_copies(self, s, copies):
        for data, _ in copies:
            if wrong_octets(s, data):
                self.complain(s, "OTHER OCTETS: %d of %d" % (
                    len(data), len(s.raw)))
        if len(copies) < s.came:
            self.complain(s, "a delivery is gone")
        s.came = len(copies)
        if len(copies) > 1:
            times = sorted(when for _, when in copies)
            kills = self.soak.kills_between(
                s.when, times[-1], self.repeaters)
            if len(copies) - 1 > kills:
                self.complain(s, "%d TIMES: %s, %d kills" % (
                    len(copies), [self.soak.at(t) for t in times], kills))


def ok(answer):
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error("%r" % (answer,))
    return data


def quoted(name):
    return '"%s"' % name
