# SPDX-License-Identifier: ISC
"""The commit order, seen from outside (a preloaded library writes down what
was synced and renamed, and when): power may fail between any two of these
calls. Nothing is removed on the server before all of them."""

import os
import time

import pytest

import corpus
from haul import FAULT, check


def calls_of(path):
    out = []
    with open(path) as f:
        for line in f:
            when, call, name = line.rstrip("\n").split(" ", 2)
            out.append((int(when), call, name))
    return sorted(out)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_durable_here_before_removed_there(fake, haul, protocol):
    asked = {}  # octets -> when their removal was asked for

    def noting(s, n):
        def store(tag, args, do=getattr(s, "do_uid_store", None)):
            for m in s.chosen(args.split(" ")[0]):
                asked[m.octets] = time.monotonic_ns()
            return do(tag, args)

        def dele(args, do=getattr(s, "do_dele", None)):
            asked[s.mails[int(args) - 1].octets] = time.monotonic_ns()
            return do(args)

        if protocol == "imap":
            s.do_uid_store = store
        else:
            s.do_dele = dele

    f = fake(protocol, noting, after="delete")
    mails = corpus.messages(40)
    for m in mails:
        f.box.add(m)
    os.makedirs(haul.state, mode=0o700)
    log = os.path.join(haul.state, "calls")
    haul.fetch(env={"LD_PRELOAD": FAULT, "MAILHAUL_CALLS": log})
    check(f.maildir, mails)
    assert f.box.octets() == []
    assert len(asked) == len(mails)

    calls = calls_of(log)
    tmp, new = (os.path.join(f.maildir.path, x) for x in ("tmp", "new"))

    def ledger_synced(after, before):
        return any(c == "sync" and haul.state in name and after < t < before
                   for t, c, name in calls)

    def first(call, what, after):
        when = [t for t, c, name in calls
                if c == call and name == what and t > after]
        assert when, "no %s of %s behind %d" % (call, what, after)
        return when[0]

    for name in f.maildir.files("new"):
        # the name in tmp/ has no size yet
        unfinished = os.path.basename(name).split(",")[0]
        file_synced = first("sync", os.path.join(tmp, unfinished), 0)
        dir_synced = first("sync", tmp, file_synced)
        renamed = first("rename", name, dir_synced)
        assert ledger_synced(dir_synced, renamed), name
        with open(name, "rb") as h:
            octets = h.read().replace(b"\n", b"\r\n")
        assert first("sync", new, renamed) < asked[octets], name


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
