# SPDX-License-Identifier: ISC
"""Real mail from a real server (Dovecot) into a Maildir."""

import os
import stat

import pytest

import corpus
from haul import OK, SLOW, TEMPFAIL, Watch, check, lf

PROTOCOLS = ["imap", "pop3"]
TLS = ["implicit", "starttls", "none"]
AFTER = ["keep", "delete"]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetches_everything_once(account, haul, protocol, tls, after):
    a = account(protocol, tls=tls, after=after)
    mails = corpus.messages(30)
    a.box.add(*mails)
    with Watch(a.maildir) as w:
        haul.fetch()
        assert w.came == 30
    check(a.maildir, mails)
    assert len(a.box.messages()) == (30 if after == "keep" else 0)
    haul.fetch()
    check(a.maildir, mails)
    more = corpus.messages(3, seed=2)
    a.box.add(*more)
    haul.fetch()
    check(a.maildir, mails + more)
    assert len(a.box.messages()) == (33 if after == "keep" else 0)


def as_served(protocol, m):
    """What Dovecot makes of a stored message: IMAP knows no NUL, POP3 no
    last line without an end."""
    if protocol == "imap":
        return m.replace(b"\0", b"\x80")
    return m if m.endswith(b"\r\n") or not m else m + b"\r\n"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_hostile_messages_survive_byte_for_byte(account, haul, protocol):
    a = account(protocol)
    mails = list(corpus.hostile().values())
    if protocol == "pop3":
        mails.remove(b"")  # Dovecot ends it with a line it does not have
    a.box.add(*mails)
    with Watch(a.maildir):
        haul.fetch()
    check(a.maildir, [as_served(protocol, m) for m in mails])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_hostile_messages_from_an_exact_server(fake, haul, protocol):
    f = fake(protocol)
    for m in corpus.hostile().values():
        if protocol == "pop3" and m and not m.endswith(b"\r\n"):
            m += b"\r\n"  # the protocol has no message without it
        f.box.add(m)
    haul.fetch()
    check(f.maildir, f.box.octets())
    haul.fetch()
    check(f.maildir, f.box.octets())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_equal_messages_are_each_delivered(account, haul, protocol):
    a = account(protocol)
    mails = [corpus.message(1)] * 5 + [b"", b""][:2 * (protocol == "imap")]
    a.box.add(*mails)
    haul.fetch()
    check(a.maildir, mails)
    haul.fetch()
    check(a.maildir, mails)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_takes_a_message_of_100_mb_in_little_memory(
        account, haul, protocol, tmp_path):
    a = account(protocol)
    line = b"0123456789abcdef" * 4 + b"\r\n"
    big = b"Subject: big\r\n\r\n" + line * (100_000_000 // len(line))
    a.box.add(big)
    p = haul.start()
    peak = {}
    while p.poll() is None:
        for pid, kb in memory(p.pid).items():
            peak[pid] = max(kb, peak.get(pid, 0))
        try:
            p.wait(0.02)
        except Exception:
            pass
    assert haul.finish(p).status == OK
    got = a.maildir.messages()
    assert len(got) == 1 and got[0] == lf(big)
    if SLOW == 1:
        assert sum(peak.values()) < 40_000, peak


def memory(pid):
    """Peak resident kilobytes of each process of a run."""
    from haul import family
    out = {}
    for p in family(pid):
        try:
            with open("/proc/%d/status" % p) as f:
                for line in f:
                    if line.startswith("VmHWM:"):
                        out[p] = int(line.split()[1])
        except OSError:
            pass
    return out


def test_empty_mailboxes_are_no_error(account, haul):
    account("imap", name="a")
    account("pop3", name="b")
    haul.fetch()
    for name in "ab":
        assert haul.maildir(name).count() == 0


def test_fetches_several_mailboxes_by_name_and_pattern(
        account, server, haul):
    a = account("imap", mailboxes=["INBOX", "Lists/*", "!Lists/noise",
                                   "Grüße & Co"])
    mails = []
    boxes = ["INBOX", "Lists/one", "Lists/two/deep", "Grüße & Co"]
    for i, name in enumerate(boxes):
        m = corpus.messages(3, seed=10 + i)
        server.box(a.user, name).add(*m)
        mails += m
    server.box(a.user, "Lists/noise").add(corpus.message(1, seed=20))
    server.box(a.user, "Other").add(corpus.message(1, seed=21))
    haul.fetch()
    check(a.maildir, mails)
    haul.fetch()
    check(a.maildir, mails)


def test_a_missing_mailbox_does_not_stop_the_others(account, haul):
    a = account("imap", mailboxes=["Nowhere", "INBOX"])
    m = corpus.messages(2)
    a.box.add(*m)
    r = haul.fetch(status=TEMPFAIL)
    assert "Nowhere" in r.text
    check(a.maildir, m)


def test_a_changed_uidvalidity_of_a_real_server(account, haul):
    a = account("imap")
    m = corpus.messages(3)
    a.box.add(*m)
    haul.fetch()
    a.box.forget_uids()
    with open(os.path.join(a.box.path, "dovecot-uidlist"), "w") as f:
        f.write("3 V4242 N1 G%032x\n" % 7)
    a.server.own(a.box.home)
    r = haul.fetch(status=TEMPFAIL)
    assert "UIDVALIDITY" in r.text
    check(a.maildir, m)


def test_many_accounts_at_once(account, haul):
    made = []
    for i in range(20):
        a = account(PROTOCOLS[i % 2], name="acc%d" % i,
                    after=AFTER[i // 2 % 2])
        m = corpus.messages(5, seed=100 + i)
        a.box.add(*m)
        made.append((a, m))
    haul.fetch()
    for a, m in made:
        check(a.maildir, m)


def test_a_failing_account_does_not_harm_another(account, haul, fake):
    good = account("imap", name="good")
    m = corpus.messages(5)
    good.box.add(*m)
    account("pop3", name="bad", password="wrong-Pa55")
    fake("imap", lambda s, n: s.p.more(), name="silent",
         command_timeout="2s")
    r = haul.fetch(status=None)
    assert r.status != OK
    check(good.maildir, m)


def test_only_the_named_accounts_are_fetched(account, haul):
    a, b = account("imap", name="one"), account("imap", name="two")
    a.box.add(corpus.message(1))
    b.box.add(corpus.message(2))
    haul.fetch("two")
    assert (a.maildir.count(), b.maildir.count()) == (0, 1)


def test_two_accounts_share_a_maildir(account, haul, tmp_path):
    shared = str(tmp_path / "Shared")
    a = account("imap", name="one", maildir=shared)
    b = account("pop3", name="two", maildir=shared)
    m, n = corpus.messages(10, seed=1), corpus.messages(10, seed=2)
    a.box.add(*m)
    b.box.add(*n)
    haul.fetch()
    check(a.maildir, m + n)


def test_is_silent_when_all_is_well(account, haul):
    account("imap").box.add(corpus.message(1))
    r = haul.fetch()
    assert r.text == ""
    r = haul.fetch("-q")
    assert r.text == ""


def test_tells_more_with_v(account, haul):
    account("imap").box.add(corpus.message(1))
    assert haul.fetch("-v").text != ""


def test_options_may_follow_the_command(account, haul):
    import subprocess
    from haul import MAILHAUL
    a = account("imap")
    a.box.add(corpus.message(1))
    subprocess.run([MAILHAUL, "fetch", "-c", haul.conf, "-v"], check=True,
                   capture_output=True)
    assert a.maildir.count() == 1


def test_files_are_private_and_named_as_maildir_wants(account, haul):
    a = account("imap")
    m = corpus.messages(3)
    a.box.add(*m)
    old = os.umask(0)
    try:
        haul.fetch()
    finally:
        os.umask(old)
    for f in a.maildir.files():
        assert stat.S_IMODE(os.stat(f).st_mode) == 0o600
        name = os.path.basename(f)
        assert ":" not in name and "/" not in name
        assert ",S=%d" % os.path.getsize(f) in name
    for d in (a.maildir.path, a.maildir.path + "/new", haul.state):
        assert stat.S_IMODE(os.stat(d).st_mode) == 0o700
    for top, _, files in os.walk(haul.state):
        for f in files:
            assert stat.S_IMODE(
                os.stat(os.path.join(top, f)).st_mode) == 0o600


def test_existing_mail_in_the_maildir_is_left_alone(account, haul):
    a = account("imap")
    for sub in ("new", "cur", "tmp"):
        os.makedirs(os.path.join(a.maildir.path, sub), mode=0o700)
    theirs = [os.path.join(a.maildir.path, x) for x in
              ("new/1.theirs", "cur/2.theirs:2,S", "tmp/3.theirs")]
    for f in theirs:
        with open(f, "w") as h:
            h.write("theirs")
    m = corpus.messages(2)
    a.box.add(*m)
    haul.fetch()
    for f in theirs:
        assert open(f).read() == "theirs"
    check(a.maildir, m + [b"theirs"] * 2, clean_tmp=False)


@pytest.mark.parametrize("sub", ["new", "tmp"])
def test_links_in_the_maildir_are_not_followed(account, haul, tmp_path, sub):
    a = account("imap", after="delete")
    target = tmp_path / "elsewhere"
    target.mkdir()
    for d in ("new", "cur", "tmp"):
        if d != sub:
            os.makedirs(os.path.join(a.maildir.path, d), mode=0o700)
    os.symlink(target, os.path.join(a.maildir.path, sub))
    a.box.add(corpus.message(1))
    haul.fetch(status=TEMPFAIL)
    assert list(target.iterdir()) == []
    assert len(a.box.messages()) == 1


def test_the_processes_have_names(fake, haul):
    from haul import names_of, family, until
    f = fake("imap", lambda s, n: s.p.more() and s.p.more())
    p = haul.start()
    until(lambda: f.server.peers, what="a connection")
    names = sorted(names_of(family(p.pid)).values())
    p.terminate()
    haul.finish(p)
    assert any("engine" in n for n in names), names
    assert any("deliver" in n for n in names), names
