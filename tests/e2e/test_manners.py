# SPDX-License-Identifier: ISC
"""How mailhaul behaves towards servers, other clients and the person in
front of it."""

import imaplib
import os
import pty
import socket
import subprocess
import threading
import time

import pytest

import corpus
import dovecot
import model
from haul import MAILHAUL, OK, SLOW, TEMPFAIL, UNAVAILABLE, check, until

PROTOCOLS = ["imap", "pop3"]


class Client(imaplib.IMAP4):
    """Another client of the same user."""

    def __init__(self, account, mailbox="INBOX"):
        super().__init__("127.0.0.1", account.server.imap)
        self.login(account.user, dovecot.PASSWORD)
        self.select(mailbox)

    def flags(self):
        _, data = self.uid("FETCH", "1:*", "(FLAGS)")
        return [d.decode() for d in data if d]


def test_messages_are_not_marked_as_seen(account, haul):
    a = account("imap")
    a.box.add(*corpus.messages(3))
    haul.fetch()
    c = Client(a)
    flags = c.flags()
    c.logout()
    assert len(flags) == 3
    assert not any("\\Seen" in f or "\\Deleted" in f for f in flags)


def test_deleted_mail_of_others_stays(account, haul):
    a = account("imap", after="delete")
    a.box.add(*corpus.messages(2))
    haul.fetch()
    assert a.box.messages() == []
    theirs = corpus.messages(2, seed=5)
    a.box.add(*theirs)
    haul.change(after="keep")
    haul.fetch()
    c = Client(a)
    c.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
    haul.change(after="delete")
    ours = corpus.messages(2, seed=6)
    a.box.add(*ours)
    haul.fetch()
    assert a.box.messages() == theirs
    c.logout()


def test_switching_to_delete_removes_only_what_comes_then(account, haul):
    a = account("imap", after="keep")
    old = corpus.messages(3)
    a.box.add(*old)
    haul.fetch()
    haul.change(after="delete")
    new = corpus.messages(3, seed=2)
    a.box.add(*new)
    haul.fetch()
    check(a.maildir, old + new)
    left = a.box.messages()
    assert not set(new) & set(left)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_lost_connection_is_made_again(fake, haul, protocol):
    def first_is_cut(s, n):
        if n == 0:
            s.p.cut_after = 6000
        return None

    f = fake(protocol, first_is_cut, retries=3)
    for m in corpus.messages(10, size=1500):
        f.box.add(m)
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert len(f.server.peers) == 2


def test_a_server_that_always_drops_is_not_hammered(fake, haul):
    def drops(s, n):
        s.greet()
        s.run("SELECT *")
        return True

    f = fake("imap", drops, retries=2)
    began = time.monotonic()
    haul.fetch(status=UNAVAILABLE)
    assert len(f.server.peers) == 3
    assert time.monotonic() - began > 1


def test_connections_to_a_host_are_limited(fake, haul):
    now, most, lock = [0], [0], threading.Lock()

    def counting(s, n):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        s.greet()
        s.run("LOGOUT")
        with lock:  # before the client may know
            now[0] -= 1
        return True

    haul.globals["max-connections-per-host"] = 2
    made = [fake("imap", counting, name="a%d" % i) for i in range(8)]
    for f in made:
        for m in corpus.messages(5):
            f.box.add(m)
    haul.fetch()
    assert most[0] <= 2
    for f in made:
        check(f.maildir, f.box.octets())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_trickle_ends_with_the_total_timeout(fake, haul, protocol):
    def trickle(s, n):
        if n > 0:
            return None
        s.greet()
        if s.run("*RETR *" if protocol == "pop3" else "UID FETCH *"):
            s.p.send(b"+OK\r\n" if protocol == "pop3" else
                     b"* 1 FETCH (UID 1 BODY[] {1000}\r\n")
            while True:
                s.p.send(b"x")
                time.sleep(0.05)
        return True

    f = fake(protocol, trickle, total_timeout="1s", command_timeout="5s")
    f.box.add(corpus.message(1))
    r = haul.fetch(status=UNAVAILABLE)
    assert r.seconds < 10 * SLOW
    assert f.maildir.files("tmp") == []
    haul.change(total_timeout="0s")
    haul.fetch()
    check(f.maildir, f.box.octets())


@pytest.mark.parametrize("password", [
    'qu"ote\\back', "with space", " edges ", "{5}", "per%cent*()",
    "Größe-ß", "x" * 900, "tab\there"])
@pytest.mark.parametrize("auth", ["plain", "login"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_any_password_gets_through(fake, haul, protocol, auth, password):
    def strict(s, n):
        s.password = password if auth == "plain" else \
            password.encode().decode("latin-1")
        s.user = None
        return None

    f = fake(protocol, strict, auth=auth, password=password,
             user="o'dd \"us\\er\"@example.org")
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_one_connection_for_all_mailboxes(fake, haul):
    f = fake("imap", mailboxes=["INBOX", "B", "C"])
    f.boxes["B"] = model.Box(2, corpus.messages(2, seed=2))
    f.boxes["C"] = model.Box(3, corpus.messages(2, seed=3))
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, [m for b in f.boxes.values() for m in b.octets()])
    assert len(f.server.peers) == 1


def test_bodies_are_asked_for_many_at_a_time(fake, haul):
    f = fake("imap")
    for m in corpus.messages(400, size=300):
        f.box.add(m)
    haul.fetch()
    assert len([x for x in f.asked() if "UID FETCH" in x]) < 20


def test_a_poll_of_an_unchanged_mailbox_is_short(fake, haul):
    f = fake("imap")
    for m in corpus.messages(50, size=300):
        f.box.add(m)
    haul.fetch()
    before = len(f.asked())
    haul.fetch()
    commands = [x.split(" ")[1] for x in f.asked()[before:]]
    assert "FETCH" not in commands
    assert commands.count("SELECT") == 1
    assert commands.count("UID") <= 1, commands


def test_exit_new(account, haul):
    a = account("imap")
    assert haul.run("--exit-new").status == 1
    a.box.add(corpus.message(1))
    assert haul.run("--exit-new").status == OK
    assert haul.run("--exit-new").status == 1


def test_progress_on_a_terminal(account, haul):
    a = account("imap", name="work")
    a.box.add(*corpus.messages(50))
    main, other = pty.openpty()
    p = subprocess.Popen(
        [MAILHAUL, "-c", haul.conf, "fetch"],
        stdin=other, stdout=other, stderr=other)
    os.close(other)
    out = b""
    try:
        while True:
            data = os.read(main, 65536)
            if not data:
                break
            out += data
    except OSError:  # the terminal is gone with its last user
        pass
    os.close(main)
    assert p.wait() == OK
    assert b"work" in out and b"50 messages" in out
    check(a.maildir, a.box.messages())


@pytest.mark.parametrize("tls", ["none", "implicit", "starttls"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_sends_octet_by_octet(fake, haul, protocol, tls):
    def slowly(s, n):
        send = s.p.send

        def pieces(data):
            for i in range(0, len(data)):
                send(data[i:i + 1])
        s.p.send = pieces
        return None

    f = fake(protocol, slowly, tls=tls, after="delete")
    mails = [corpus.hostile()[k] for k in ("lone-dots", "cr-cr-lf")]
    for m in mails:
        f.box.add(m)
    haul.fetch()
    check(f.maildir, mails)
    assert f.box.octets() == []


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_a_server_on_ipv6_only(fake, haul, host):
    try:
        six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with six:
        f = fake("imap", host=host, port=six.getsockname()[1])
        f.box.add(corpus.message(1))

        def relay():
            sock, _ = six.accept()
            f.server.one(sock, 0)
        t = threading.Thread(target=relay, daemon=True)
        t.start()
        haul.fetch()
        t.join()
    check(f.maildir, f.box.octets())


def test_a_second_fetch_says_that_another_is_at_work(fake, haul):
    f = fake("imap", lambda s, n: s.p.more() and s.p.more())
    first = haul.start()
    until(lambda: f.server.peers, what="a connection")
    r = haul.fetch(status=TEMPFAIL)
    assert "another" in r.text.lower(), r
    assert r.seconds < 15 * SLOW
    first.terminate()
    haul.finish(first)
