# SPDX-License-Identifier: ISC
"""The commit order, seen from outside (a preloaded library writes down what
was synced and renamed, and when): power may fail between any two of these
calls. Nothing is removed on the server before all of them."""

import os
import time

import pytest

import corpus
import model
from haul import FAULT, Maildir, check
from mda import nasty, reports


def calls_of(path):
    out = []
    with open(path) as f:
        for line in f:
            when, call, name = line.rstrip("\n").split(" ", 2)
            out.append((int(when), call, name))
    return sorted(out)


class Story:
    """A fetch that removes all, and what was done when: .asked has the
    removal of each message."""

    def __init__(self, fake, haul, protocol, **options):
        self.asked = {}  # octets -> when their removal was asked for
        self.haul = haul
        self.f = fake(protocol, self.noting, after="delete", **options)

    def noting(self, s, n):
        def store(tag, args, do=getattr(s, "do_uid_store", None)):
            for m in s.chosen(args.split(" ")[0]):
                self.asked[m.octets] = time.monotonic_ns()
            return do(tag, args)

        def dele(args, do=getattr(s, "do_dele", None)):
            self.asked[s.mails[int(args) - 1].octets] = time.monotonic_ns()
            return do(args)

        if hasattr(s, "do_uid_store"):
            s.do_uid_store = store
        else:
            s.do_dele = dele

    def fetch(self):
        os.makedirs(self.haul.state, mode=0o700)
        log = os.path.join(self.haul.state, "calls")
        self.haul.fetch(env={"LD_PRELOAD": FAULT, "MAILHAUL_CALLS": log})
        assert self.f.box.octets() == []
        self.calls = calls_of(log)

    def ledger_synced(self, after, before):
        return any(c == "sync" and self.haul.state in name and
                   after < t < before for t, c, name in self.calls)

    def first(self, call, what, after):
        when = [t for t, c, name in self.calls
                if c == call and name == what and t > after]
        assert when, "no %s of %s behind %d" % (call, what, after)
        return when[0]

    def check_files(self, maildir):
        tmp = os.path.join(maildir.path, "tmp")
        for name in maildir.files():
            # the name in tmp/ has no size yet
            unfinished = os.path.basename(name).split(",")[0]
            file_synced = self.first("sync", os.path.join(tmp, unfinished), 0)
            dir_synced = self.first("sync", tmp, file_synced)
            renamed = self.first("rename", name, dir_synced)
            assert self.ledger_synced(dir_synced, renamed), name
            with open(name, "rb") as h:
                octets = h.read().replace(b"\n", b"\r\n")
            synced = self.first("sync", os.path.dirname(name), renamed)
            assert synced < self.asked[octets], name


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_durable_here_before_removed_there(fake, haul, protocol):
    story = Story(fake, haul, protocol)
    mails = corpus.messages(40)
    for m in mails:
        story.f.box.add(m)
    story.fetch()
    check(story.f.maildir, mails)
    assert len(story.asked) == len(mails)
    story.check_files(story.f.maildir)


def test_flags_and_folders_are_as_durable(fake, haul):
    story = Story(fake, haul, "imap", mailboxes=["*"], keep_flags=True,
                  maildir_folders=True)
    box = story.f.boxes["a/b"] = model.Box()
    mails = corpus.messages(20)
    for i, m in enumerate(mails):
        box.add(m).flags |= {"\\Seen"} if i % 2 else set()
    story.fetch()
    folder = Maildir(os.path.join(story.f.maildir.path, ".a.b"))
    check(folder, mails)
    assert len(folder.files("cur")) == 10
    story.check_files(folder)
    synced = {x for t, c, x in story.calls if c == "sync"}
    assert {folder.path, story.f.maildir.path} <= synced


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_a_program_took_is_recorded_before(
        fake, haul, tmp_path, protocol):
    d, log = tmp_path / "reports", tmp_path / "log"
    d.mkdir()
    story = Story(fake, haul, protocol, mda_parallel=2, mda=nasty(
        "report=%s" % d, "log-end=%s" % log))
    for m in corpus.messages(10):
        story.f.box.add(m)
    story.fetch()
    ends = {int(pid): int(when) for _, pid, when in
            (line.split() for line in log.read_text().splitlines())}
    got = reports(d)
    assert len(got) == len(story.asked) == 10
    for r in got:
        octets = r.message.replace(b"\n", b"\r\n")
        assert story.ledger_synced(ends[r.pid], story.asked[octets])


def test_a_group_shares_its_syncs(fake, haul):
    f = fake("imap")
    for m in corpus.messages(500, size=300):
        f.box.add(m)
    os.makedirs(haul.state, mode=0o700)
    log = os.path.join(haul.state, "calls")
    haul.fetch(env={"LD_PRELOAD": FAULT, "MAILHAUL_CALLS": log})
    calls = calls_of(log)
    new = os.path.join(f.maildir.path, "new")
    groups = len([1 for t, c, x in calls if c == "sync" and x == new])
    assert 1 <= groups < 250, groups


def test_new_directories_are_synced_in_their_parents(fake, haul, tmp_path):
    path = str(tmp_path / "a" / "b" / "Maildir")
    f = fake("imap", maildir=path)
    f.box.add(corpus.message(1))
    os.makedirs(haul.state, mode=0o700)
    log = os.path.join(haul.state, "calls")
    haul.fetch(env={"LD_PRELOAD": FAULT, "MAILHAUL_CALLS": log})
    synced = {x for t, c, x in calls_of(log) if c == "sync"}
    for d in (str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b"),
              path):
        assert d in synced, d
