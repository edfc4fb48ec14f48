# SPDX-License-Identifier: ISC
"""Mail to a program: what it gets, and what its end means."""

import contextlib
import os
import pwd
import resource
import signal
import subprocess
import time

import pytest

import corpus
import model
from haul import OK, SLOW, TEMPFAIL, check, family, lf, until
from mda import (HELD, LATER, Keeper, held, nasty, reports, running, script,
                 settle, troubles)
from test_fetch import memory

PROTOCOLS = ["imap", "pop3"]


def simple(i, headers=b""):
    return b"Subject: %d\r\n%s\r\nbody %d\r\n" % (i, headers, i)


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


# ---- what it gets ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_program_gets_every_octet(fake, haul, tmp_path, protocol):
    keeper = Keeper(tmp_path)
    f = fake(protocol, mda=keeper.argv, after="delete", mda_parallel=4)
    mails = list(corpus.hostile().values()) + corpus.messages(10)
    for m in mails:
        if protocol == "pop3" and m and not m.endswith(b"\r\n"):
            m += b"\r\n"  # the protocol has no message without it
        f.box.add(m)
    originals = f.box.octets()
    haul.fetch()
    keeper.check(originals)
    assert f.box.octets() == [] and troubles(haul) == []
    haul.fetch()
    assert len(keeper.messages()) == len(mails)


def test_a_large_message_in_little_memory(fake, haul, tmp_path):
    keeper = Keeper(tmp_path)
    f = fake("imap", mda=keeper.argv, trace=None)
    m = b"Subject: big\r\n\r\n" + (b"y" * 70 + b"\r\n") * 600_000
    f.box.add(m)
    p = haul.start()
    peak = {}
    while p.poll() is None:
        for pid, kb in memory(p.pid).items():
            peak[pid] = max(kb, peak.get(pid, 0))
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(0.02)
    assert haul.finish(p).status == OK
    got = only(keeper.messages())
    assert got.endswith(lf(m)) and got.startswith(b"Received: ")
    if SLOW == 1:
        assert sum(peak.values()) < 45_000, peak


def what_it_sees(haul, fake, tmp_path, protocol="imap", **options):
    d = tmp_path / "reports"
    d.mkdir(exist_ok=True)
    f = fake(protocol, mda=nasty("report=%s" % d, "--", "%{account}", "two "
                                 "words", "%%{uid}", "%{uid}"), **options)
    m = corpus.message(1)
    f.box.add(m)
    haul.fetch(preexec_fn=lambda: (
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, 4000)),
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}),
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)))
    r = only(reports(d))
    assert r.message == lf(m)
    return r


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_environment_arguments_and_descriptors(
        fake, haul, tmp_path, protocol):
    haul.env["SECRET_OF_MINE"] = "x"
    r = what_it_sees(haul, fake, tmp_path, protocol, name="work",
                     recipient="alice@example.org")
    me = pwd.getpwuid(os.getuid())
    uid = "1" if protocol == "imap" else "uidl-1"
    assert r.extra == ["work", "two words", "%{uid}", uid]
    key = r.env.pop("MAILHAUL_KEY")
    assert len(key) >= 16 and key.isalnum()
    assert r.env == {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": me.pw_dir,
        "USER": me.pw_name, "LOGNAME": me.pw_name, "SHELL": me.pw_shell,
        "MAILHAUL_ACCOUNT": "work",
        "MAILHAUL_MAILBOX": "INBOX" if protocol == "imap" else "",
        "MAILHAUL_UID": uid, "MAILHAUL_SENDER": "sender1@example.org",
        "MAILHAUL_RECIPIENT": "alice@example.org"}
    assert model.PASSWORD not in r.text
    assert sorted(r.fds) == ["0", "1", "2"], r.fds
    assert r.offset == 0
    assert r.fds["0"]["kind"] == "file" and r.fds["0"]["access"] == "r"
    assert r.fds["0"]["target"].endswith("(deleted)")
    assert r.fds["0"]["size"] == len(r.message)
    for out in ("1", "2"):
        assert r.fds[out]["kind"] == "pipe" and r.fds[out]["access"] == "w"


def test_its_rights_limits_and_signals(fake, haul, tmp_path):
    r = what_it_sees(haul, fake, tmp_path)
    assert r.uid == list(os.getresuid()) and r.gid == list(os.getresgid())
    assert r.groups == sorted(os.getgroups())
    assert r.no_new_privs == "1" and r.seccomp == "0"
    assert r.limits["RLIMIT_NOFILE"] == [500, 4000]
    for name, ours in r.limits.items():
        if name not in ("RLIMIT_NOFILE", "RLIMIT_OFILE", "RLIMIT_CORE"):
            assert ours == list(resource.getrlimit(
                getattr(resource, name))), name
    assert r.blocked == []
    assert set(r.ignored) <= {32, 33}  # the C library's own
    assert r.pgid == r.pid
    assert r.umask == 0o077
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert r.cwd == (home if os.access(home, os.X_OK) else "/")


def test_new_privileges_only_when_they_are_allowed(fake, haul, tmp_path):
    r = what_it_sees(haul, fake, tmp_path, mda_new_privileges=True)
    assert r.no_new_privs == "0"


@pytest.mark.parametrize("sender,line", [
    (b"<bob@example.org>", b"From bob@example.org "),
    (b"<>", b"From MAILER-DAEMON ")])
def test_a_from_line_in_front(fake, haul, tmp_path, sender, line):
    keeper = Keeper(tmp_path)
    f = fake("pop3", mda=keeper.argv, mda_from_line=True)
    m = simple(1, b"Return-Path: %s\r\n" % sender)
    f.box.add(m + b"From the body\r\n")
    haul.fetch()
    first, rest = only(keeper.messages()).split(b"\n", 1)
    assert rest == lf(m) + b"From the body\n"
    assert first.startswith(line)
    time.strptime(first[len(line):].decode(), "%a %b %d %H:%M:%S %Y")


# ---- hostile text (A15) ----

SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
           "0123456789.@_+/=-")
BOXES = ["INBOX", "a b;$(touch x)|&-", "-rf", "`id`'\"\\", "%{uid}%n",
         "&AOQ-x", "../../etc", "x" * 900]
SENDERS = [
    b"From: a@example.org\r\n", b"Return-Path: <x;rm@example.org>\r\n",
    b"Return-Path: <$(id)`id`@example.org>\r\n", b"Return-Path: <>\r\n",
    b"From: \"\x1b]0;x\x07\" <\xff\xfe@example.org>\r\n",
    b"From: =?utf-8?q?a?= <a@b\r\n\t.example\r\n\tX: y>\r\n",
    b"Return-Path: <\"a b\"@example.org>\r\n",
    "Return-Path: <jürgen@example.org>\r\n".encode(),
    b"Return-Path: <" + b"a" * 5000 + b"@example.org>\r\n",
    b"Return-Path: <-oQ/tmp@example.org>\r\n",
]


def test_hostile_text_stays_one_harmless_argument(fake, haul, tmp_path):
    d = tmp_path / "reports"
    d.mkdir()
    f = fake("imap", mailboxes=["*"], recipient_header="X-To", mda_parallel=4,
             name="a;$(id)'", mda=nasty(
                 "report=%s" % d, "--", "%{account}", "m=%{mailbox}",
                 "u=%{user}", "s=%{sender}", "r=%{recipient}", "n=%{uid}",
                 "end"))
    n = 0
    for name in BOXES:
        b = f.boxes.setdefault(name, model.Box())
        for s in SENDERS if name == "INBOX" else SENDERS[:2]:
            n += 1
            b.add(simple(n, s + b"X-To: <;|%d\xe9$@example.org>\r\n" % n))
    r = haul.fetch()
    got = reports(d)
    assert len(got) == n, (r, {x.env["MAILHAUL_MAILBOX"] for x in got})
    for r in got:
        assert len(r.extra) == 7 and r.extra[6] == "end", r.extra
        assert sorted(r.fds) == ["0", "1", "2"], r.fds
        for arg in r.extra:
            assert set(arg) <= SAFE and len(arg) <= 1100, arg
        assert r.extra[3][2:] == "".join(
            c if c in SAFE else "_" for c in r.env["MAILHAUL_SENDER"]) or \
            not r.env["MAILHAUL_SENDER"].isascii(), r.extra
        for value in r.env.values():
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160
                           for c in value), value
            assert len(os.fsencode(value)) <= 1100
    senders = {r.env["MAILHAUL_SENDER"] for r in got}
    assert {"", "a@example.org", "x;rm@example.org",
            "jürgen@example.org"} <= senders
    assert {r.env["MAILHAUL_MAILBOX"] for r in got} >= {
        "INBOX", "a b;$(touch x)|&", "-rf", "../../etc", "äx"}


def test_a_value_that_would_be_an_option_is_held(fake, haul, tmp_path):
    keeper = Keeper(tmp_path)
    f = fake("imap", mda=keeper.argv + ["%{sender}"], after="delete")
    f.box.add(simple(1, b"Return-Path: <-oQ/tmp@example.org>\r\n"))
    f.box.add(simple(2, b"Return-Path: <b@example.org>\r\n"))
    haul.fetch(status=None)
    t = only(troubles(haul))
    assert t["uid"] == 1 and t["state"] == HELD
    assert "sender" in t["reason"], t
    assert keeper.messages() == [lf(f.box.octets()[0]).replace(b"1", b"2")
                                 .replace(b"-oQ/tmp", b"b")]
    assert len(f.box.octets()) == 1


# ---- what its end means ----

EXITS = {0: None, 71: LATER, 73: LATER, 74: LATER, 75: LATER}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_exit_status(fake, haul, tmp_path, protocol):
    count = tmp_path / "count"
    path = script(tmp_path / "exits", (
        "echo >>%s\nexit $(($1 - 1000))\n" % count))
    f = fake(protocol, mda=[path, "%{uid}"], after="delete", mda_parallel=4)
    for code in range(256):
        f.box.add(simple(code), 1000 + code).uidl = str(1000 + code)
    haul.fetch(status=TEMPFAIL)
    rows = {t["uid"] or int(t["name"][1:]): t for t in troubles(haul)}
    for code in range(256):
        wanted = EXITS.get(code, HELD)
        t = rows.get(1000 + code)
        if wanted is None:
            assert t is None, t
            continue
        assert t["state"] == wanted and t["tries"] == 1, t
        assert t["why"] == "refused"
        assert "status %d" % code in t["reason"], t
        assert t["next"] - t["since"] in (
            (60, 61) if wanted == LATER else (-t["since"],)), t
    assert len(rows) == 255
    # only what was accepted is gone, and nothing is tried again at once
    assert f.box.octets() == [simple(c) for c in range(1, 256)]
    haul.fetch()
    assert count.read_text() == "\n" * 256
    assert len(f.box.octets()) == 255


def test_the_verdicts_can_be_changed(fake, haul, tmp_path):
    path = script(tmp_path / "exits", "exit $1\n")
    wanted = {1: None, 64: LATER, 77: HELD, 78: LATER, 75: HELD, 73: LATER,
              99: HELD, 255: None}
    f = fake("imap", mda=[path, "%{uid}"], after="delete", mda_exit=[
        "1=accept", "64-78=later", "77=hold", "75=hold", "255=accept"])
    for code in sorted(wanted):
        f.box.add(simple(code), code)
    haul.fetch(status=None)
    rows = {t["uid"]: t["state"] for t in troubles(haul)}
    assert rows == {c: s for c, s in wanted.items() if s is not None}
    assert [m.number for m in f.box.mails] == sorted(rows)


def test_ended_by_a_signal_is_later(fake, haul):
    signals = ["HUP", "ABRT", "KILL", "USR1", "SEGV", "PIPE", "TERM", "XCPU"]
    f = fake("imap", mda=nasty("read", "signal=%{uid}"), after="delete",
             mda_parallel=4)
    for s in signals:
        n = getattr(signal, "SIG" + s)
        f.box.add(simple(n), int(n))
    haul.fetch(status=None)
    rows = {t["uid"]: t for t in troubles(haul)}
    for s in signals:
        t = rows[getattr(signal, "SIG" + s)]
        assert t["state"] == LATER and "SIG" + s in t["reason"], t
    assert len(f.box.octets()) == len(signals)


NASTY = {  # steps, verdict, words
    "hang": (["say=wait for me", "hang"], LATER, "1 s: wait for me"),
    "hang-in-family": (["grandchild=55", "hang"], LATER, "1 s"),
    "ignore-term": (["ignore-term", "hang"], LATER, "1 s"),
    "close-stdin": (["close-stdin"], None, ""),
    "read-a-bit": (["read=3"], None, ""),
    "read-nothing": ([], None, ""),
    "refuse-unread": (["exit=65"], HELD, "status 65"),
    "grandchild": (["read", "grandchild=2"], None, ""),
    "orphan": (["read", "orphan=2"], None, ""),
    "flood": (["flood=120000000"], None, ""),
    "flood-and-fail": (["flood=70000000", "raw=0a1b5b324a41ff0a0a",
                        "say=the end", "exit=1"], HELD, "the end"),
    "flood-out": (["flood-out=120000000"], None, ""),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_program(fake, haul, tmp_path, name):
    steps, verdict, words = NASTY[name]
    mark = str(tmp_path / "log")
    f = fake("imap", mda=nasty("log=" + mark, *steps), after="delete",
             mda_timeout="1s")
    if "flood" in name or "orphan" in name:
        haul.change(mda_timeout="1m")
    f.box.add(corpus.message(1, size=500_000))
    r = haul.fetch(status=None)
    if verdict is None:
        assert r.status == OK and troubles(haul) == []
        assert f.box.octets() == []
        assert name in ("flood", "flood-out") or r.seconds < 2 * SLOW, r
        return
    t = only(troubles(haul))
    assert t["state"] == verdict and words in t["reason"], t
    assert len(f.box.octets()) == 1
    assert "\x1b" not in r.text + t["reason"]
    assert words.split(": ")[-1] in r.text
    if "hang" in steps:
        assert r.seconds >= (2.9 if name == "ignore-term" else 0.9)
        # the whole group is gone
        assert not running(mark)


def test_its_last_words_are_in_log_and_reason(fake, haul):
    f = fake("imap", mda=nasty(
        "say=first", "say=disk on fire", "exit=67"), name="work")
    f.box.add(simple(1))
    r = haul.fetch(status=None)
    t = only(troubles(haul))
    assert t["reason"].startswith("python3") and "status 67" in t["reason"]
    assert "disk on fire" in t["reason"] and "disk on fire" in r.text
    assert any("work" in line and "disk on fire" in line
               for line in r.text.split("\n"))
    assert "Subject" not in t["about"] or "1" in t["about"]


def test_a_program_by_its_name_alone(fake, haul):
    f = fake("imap", mda=["true"], after="delete")
    f.box.add(simple(1))
    haul.fetch()
    assert f.box.octets() == []


def test_an_exit_that_was_asked_for_is_no_yes(fake, haul, tmp_path):
    path = script(tmp_path / "trap", (
        "trap 'exit 0' TERM\nwhile :; do sleep 0.1; done\n"))
    f = fake("imap", mda=[path], mda_timeout="1s", after="delete")
    f.box.add(simple(1))
    haul.fetch(status=TEMPFAIL)
    assert only(troubles(haul))["state"] == LATER
    assert len(f.box.octets()) == 1


@pytest.mark.parametrize("program", [
    "/no/such/program", "no-such-program", "/etc", "/etc/passwd"])
def test_a_program_that_does_not_start_is_the_accounts_trouble(
        fake, haul, program):
    f = fake("imap", mda=[program], name="bad", after="delete")
    f.box.add(simple(1))
    good = fake("imap", name="good")
    good.box.add(simple(2))
    r = haul.fetch(status=TEMPFAIL)
    assert program in r.text and "bad" in r.text
    assert troubles(haul) == [] and len(f.box.octets()) == 1
    check(good.maildir, [simple(2)])


# ---- one message, one account, and the others ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_bad_message_does_not_stop_the_others(
        fake, haul, tmp_path, protocol):
    keeper = Keeper(tmp_path, "case $MAILHAUL_SENDER in bad*) exit 65; esac")
    f = fake(protocol, mda=keeper.argv, after="delete")
    bad = simple(5, b"Return-Path: <bad@example.org>\r\n")
    mails = [simple(i) for i in range(5)] + [bad] + \
        [simple(i) for i in range(6, 10)]
    for m in mails:
        f.box.add(m)
    haul.fetch(status=None)
    keeper.check([m for m in mails if m is not bad])
    assert f.box.octets() == [bad]
    assert only(troubles(haul))["state"] == HELD
    more = simple(11)
    f.box.add(more)
    haul.fetch(status=None)
    keeper.check([m for m in mails if m is not bad] + [more])


def test_a_hanging_program_does_not_delay_another_account(
        fake, haul, tmp_path):
    log = tmp_path / "log"
    hung = fake("imap", name="hung", mda=nasty("log=%s" % log, "hang"),
                mda_timeout="2s")
    good = fake("imap", name="good")
    other = Keeper(tmp_path)
    also = fake("pop3", name="also", mda=other.argv)
    for f in (hung, good, also):
        for m in corpus.messages(5):
            f.box.add(m)
    p = haul.start()
    until(log.exists, what="the program that hangs")
    until(lambda: good.maildir.count() == 5 and len(other.kept()) == 5,
          what="the mail of the others")
    assert "end" not in log.read_text() and p.poll() is None
    assert running(str(log))
    p.terminate()
    haul.finish(p, timeout=20)
    check(good.maildir, good.box.octets())
    other.check(also.box.octets())


def pairs(path):
    """(most at a time, uids in the order they began)"""
    now = most = 0
    order = []
    for line in path.read_text().split("\n")[:-1]:
        sign, uid = line.split()
        now += 1 if sign == "+" else -1
        most = max(most, now)
        if sign == "+":
            order.append(int(uid))
    assert now == 0
    return most, order


@pytest.mark.parametrize("parallel", [1, 4])
def test_order_and_number_at_a_time(fake, haul, tmp_path, parallel):
    log = tmp_path / "log"
    path = script(tmp_path / "slow", (
        "echo + $MAILHAUL_UID >>%s\nsleep 0.0$(($MAILHAUL_UID %% 3))\n"
        "echo - $MAILHAUL_UID >>%s\n" % (log, log)))
    f = fake("imap", mda=[path], mda_parallel=parallel)
    for i in range(1, 41):
        f.box.add(simple(i))
    haul.fetch()
    most, order = pairs(log)
    assert sorted(order) == list(range(1, 41))
    assert most <= parallel
    if parallel == 1:
        assert order == sorted(order)
    else:
        assert most > 1


# ---- repeats ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_key_is_the_messages_own(fake, haul, tmp_path, protocol):
    d = tmp_path / "reports"
    d.mkdir()
    once = tmp_path / "once"
    second = "2" if protocol == "imap" else "uidl-2"
    options = dict(mda=nasty("report=%s" % d, "if-uid=" + second,
                             "once=%s" % once, "exit=75"))
    f = fake(protocol, **options)
    g = fake(protocol, name="b", **options)
    for b in (f.box, g.box):
        b.add(simple(1))
        b.add(simple(1))
    haul.fetch("a", status=None)
    held(haul, "retry")
    haul.fetch("a")
    haul.fetch("b")
    got = reports(d)
    assert len(got) == 5
    keys = {}
    for r in got:
        keys.setdefault((r.env["MAILHAUL_ACCOUNT"], r.env["MAILHAUL_UID"]),
                        set()).add(r.env["MAILHAUL_KEY"])
    assert len(keys) == 4
    assert all(len(k) == 1 for k in keys.values())
    assert len(set().union(*keys.values())) == 4


def test_a_signal_while_the_program_runs(fake, haul, tmp_path):
    keeper = Keeper(tmp_path, "touch $d/../begun\nsleep 0.3")
    f = fake("imap", mda=keeper.argv, after="delete")
    mails = corpus.messages(5)
    for m in mails:
        f.box.add(m)
    p = haul.start()
    until((tmp_path / "begun").exists, what="the program")
    p.terminate()
    r = haul.finish(p, timeout=20)
    assert r.status != OK and r.seconds < 12
    assert not running(keeper.path)
    # what ran has ended in peace and is recorded; the others wait
    assert len(keeper.kept()) == 1
    settle(haul)
    keeper.check(mails)
    assert f.box.octets() == []


def test_nothing_is_left_in_the_state_directory(fake, haul, tmp_path):
    mark = tmp_path / "log"
    f = fake("imap", mda=nasty("log=%s" % mark, "hang"), mda_timeout="1m")
    f.box.add(simple(1))
    p = haul.start()
    until(mark.exists, what="the program")
    files = [x for _, _, names in os.walk(haul.state) for x in names]
    for pid in family(p.pid):
        os.kill(pid, signal.SIGKILL)
    haul.finish(p)
    assert all("ledger" in x or "lock" in x for x in files), files
