# SPDX-License-Identifier: ISC
"""The crash ring: whatever is killed, and whenever, nothing is lost and
nothing comes twice."""

import os
import random
import signal
import subprocess
import time

import pytest

import corpus
from haul import OK, check, family, names_of, until

EPOCHS, ROUNDS = 4, 15
MODES = [(p, a) for p in ("imap", "pop3") for a in ("keep", "delete")]
CASES = pytest.mark.parametrize("protocol,after", MODES)


def settle(haul, f, originals):
    """Fetches again until it is quiet; then all must be here, once."""
    haul.until_quiet()
    check(f.maildir, originals, f.box.octets())
    if f.after == "delete":
        assert f.box.octets() == []


@CASES
def test_killed_at_every_durable_step(fake, haul, tmp_path, protocol, after):
    f = fake(protocol, after=after)
    originals = []

    def add(n):
        for m in corpus.messages(n, seed=len(originals) + 1, size=600):
            f.box.add(m)
            originals.append(m)

    add(12)
    points = tmp_path / "points"
    haul.fetch(env={"MAILHAUL_POINTS": str(points)})
    assert points.exists(), "no crash points: not a debug build?"
    names = sorted(set(points.read_text().split()))
    assert len(names) > 5, names
    deaths = 0
    check(f.maildir, originals)
    for name in names:
        for nth in range(1, 40):
            add(3)
            # DIE_IN takes a beginning: names must not begin others
            r = haul.fetch(status=None, env={
                "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": str(nth)})
            check(f.maildir, originals, f.box.octets(), clean_tmp=False,
                  all_here=False)
            if r.status == OK:  # it was not passed that often
                break
            deaths += 1
            haul.until_quiet()
            check(f.maildir, originals)
    settle(haul, f, originals)
    assert deaths >= len(names)


@CASES
def test_killed_while_recovering(fake, haul, tmp_path, protocol, after):
    f = fake(protocol, after=after)
    originals = []
    points = tmp_path / "points"
    first = ["deliver:prepared", "deliver:renamed"]
    for i, name in enumerate(first):
        for nth in range(1, 30):
            for m in corpus.messages(3, seed=100 * i + nth, size=600):
                f.box.add(m)
                originals.append(m)
            haul.fetch(status=None, env={
                "MAILHAUL_DIE_IN": name, "MAILHAUL_DIE_AT": "1"})
            r = haul.fetch(status=None, env={
                "MAILHAUL_DIE_AT": str(nth), "MAILHAUL_POINTS": str(points)})
            check(f.maildir, originals, f.box.octets(), clean_tmp=False,
                  all_here=False)
            if r.status == OK:
                break
            haul.until_quiet()
            check(f.maildir, originals)
    settle(haul, f, originals)
    seen = points.read_text()
    assert "deliver:rolled" in seen


@pytest.mark.parametrize("who", ["any", "all"])
@CASES
def test_killed_at_any_moment(fake, haul, protocol, after, who):
    rng = random.Random("%s %s %s" % (protocol, after, who))
    killed, longest = 0, 0.1
    for epoch in range(EPOCHS):
        haul.accounts.clear()
        f = fake(protocol, after=after, name="a%d" % epoch)
        originals = []
        for i in range(ROUNDS):
            for m in corpus.messages(15, seed=i + 1, size=2000):
                f.box.add(m)
                originals.append(m)
            p = haul.start()
            if kill_within(p, rng, longest, who):
                killed += 1
                longest *= 1.05
            else:
                longest *= 0.7
            haul.finish(p)
            check(f.maildir, originals, f.box.octets(), clean_tmp=False,
                  all_here=False)
            if rng.random() < 0.3:
                settle(haul, f, originals)
        settle(haul, f, originals)
    assert killed > EPOCHS * ROUNDS // 3


def kill_within(p, rng, longest, who):
    """SIGKILL to one or all of the processes at some time; False if all was
    over before."""
    try:
        p.wait(rng.uniform(0, longest))
        return False
    except subprocess.TimeoutExpired:
        pass
    pids = family(p.pid)
    for pid in pids if who == "all" else [rng.choice(pids)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return True


@pytest.mark.parametrize("role", ["engine", "deliver", "mailhaul"])
@pytest.mark.parametrize("protocol,after", [("imap", "delete"),
                                            ("pop3", "delete")])
def test_a_real_server_and_one_process_killed(
        account, haul, role, protocol, after):
    rng = random.Random(role + protocol)
    a = account(protocol, after=after)
    originals = []
    for i in range(6):
        m = corpus.messages(20, seed=i + 1)
        originals += m
        a.box.add(*m)
        p = haul.start()
        until(lambda: p.poll() is not None or len(family(p.pid)) > 2,
              what="the processes")
        time.sleep(rng.uniform(0, 0.08))
        for pid, name in names_of(family(p.pid)).items():
            if role in name and (role != "mailhaul" or pid == p.pid):
                os.kill(pid, signal.SIGKILL)
        haul.finish(p)
        check(a.maildir, originals, a.box.messages(), clean_tmp=False,
              all_here=False)
    haul.until_quiet()
    check(a.maildir, originals)
    assert a.box.messages() == []


def test_nobody_survives_the_supervisor(fake, haul):
    f = fake("imap", lambda s, n: s.p.more() and s.p.more())
    p = haul.start()
    until(lambda: f.server.peers, what="a connection")
    pids = family(p.pid)
    assert len(pids) >= 3, names_of(pids)
    p.kill()
    haul.finish(p, timeout=20)
    until(lambda: not any(alive(x) for x in pids), what="the end of all")


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            s = f.read()
        return s[s.rindex(")") + 2] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
@CASES
def test_a_signal_in_the_middle(fake, haul, protocol, after, sig):
    held = []

    def slowly(s, n):
        if n > 0:
            return None
        until_line = "RETR 4*" if protocol == "pop3" else "NEVER"
        if protocol == "imap":
            sent = []
            fetched = s.fetched

            def some(m, items):
                if len(sent) == 4:
                    held.append(1)
                    s.p.send(b"* 1 FETCH (UID %d BODY[] {100}\r\nhalf"
                             % m.number)
                    while s.p.more():
                        pass
                sent.append(m)
                fetched(m, items)
            s.fetched = some
        s.greet()
        if s.run(until_line) is not None:
            held.append(1)
            s.p.send(b"+OK\r\nhalf")
            while s.p.more():
                pass
        return True

    f = fake(protocol, slowly, after=after)
    for m in corpus.messages(8):
        f.box.add(m)
    originals = f.box.octets()
    p = haul.start()
    until(lambda: held, what="half a message")
    p.send_signal(sig)
    began = time.monotonic()
    r = haul.finish(p, timeout=15)
    assert r.status not in (OK, -sig), r
    assert time.monotonic() - began < 10
    # what was given to the deliverer is in, the half one is gone
    check(f.maildir, originals, f.box.octets(), all_here=False)
    settle(haul, f, originals)


def test_two_fetches_at_once(fake, haul):
    f = fake("imap")
    for m in corpus.messages(40):
        f.box.add(m)
    originals = f.box.octets()
    runs = [haul.start() for _ in range(4)]
    results = [haul.finish(p) for p in runs]
    assert any(r.status == OK for r in results), results
    for r in results:
        if r.status != OK:
            assert r.status == 75 and r.text, r
    haul.until_quiet()
    check(f.maildir, originals)


def test_a_killed_fetch_leaves_no_lock(fake, haul):
    f = fake("imap", lambda s, n: s.p.more() and s.p.more() if n == 0
             else None)
    f.box.add(corpus.message(1))
    p = haul.start()
    until(lambda: f.server.peers, what="a connection")
    for pid in family(p.pid):
        os.kill(pid, signal.SIGKILL)
    haul.finish(p)
    haul.fetch()
    assert f.maildir.count() == 1


def test_tmp_files_of_others_are_left(fake, haul):
    f = fake("imap")
    f.box.add(corpus.message(1))
    haul.fetch()
    theirs = os.path.join(f.maildir.path, "tmp", "1.2.other-program")
    open(theirs, "w").close()
    f.box.add(corpus.message(2))
    haul.fetch()
    assert os.path.exists(theirs)
