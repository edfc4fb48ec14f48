# SPDX-License-Identifier: ISC
"""What "check --online" and "list" say of servers, good and bad, and that
looking at them changes nothing."""

import base64
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess

import pytest

import corpus
import dovecot
import model
from haul import (CONFIG, NOPERM, OK, PROTOCOL, TEMPFAIL, UNAVAILABLE, USAGE,
                  Haul, family, names_of, until)
from people import Own, People
from test_tls import issue

PROTOCOLS = ["imap", "pop3"]


def check(haul, *args, status=OK, **kw):
    r = haul.run("--online", *args, command="check", **kw)
    assert r.status == status, r
    return r


def listed(haul, *args, status=OK, **kw):
    r = haul.run(*args, command="list", **kw)
    assert r.status == status, r
    return r


def as_json(r):
    return json.loads(r.out)


def pin_of(path):
    """sha256:... of the key in a certificate."""
    key = subprocess.run(["openssl", "x509", "-in", path, "-pubkey", "-noout"],
                         check=True, stdout=subprocess.PIPE).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"],
                         input=key, check=True, stdout=subprocess.PIPE).stdout
    return "sha256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


# ---- good servers ----

@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
def test_imap(account, haul, server, tls):
    a = account("imap", tls=tls, mailboxes=["INBOX", "Lists/*"])
    a.box.add(corpus.message(1), corpus.message(2))
    server.box(a.user, "Lists/cats").add(corpus.message(3))
    server.box(a.user, "Entwürfe")
    before = a.box.files()
    r = check(haul)
    assert "127.0.0.1:%d" % server.port("imap", tls) in r.out
    assert ("TLSv1.3" in r.out) == (tls != "none")
    assert (pin_of(os.path.join(server.dir, "tls", "server.pem")) in r.out) \
        == (tls != "none")
    assert "Dovecot" in r.out and "LIST-STATUS" in r.out
    assert "PLAIN: the strongest of those the server offers" in r.out
    rows = {line.split(None, 3)[-1]: line.split()[:2]
            for line in r.out.splitlines() if line.startswith("  * ")}
    assert rows == {"INBOX": ["*", "2"], "Lists/cats": ["*", "1"]}
    assert "Entwürfe" in r.out
    assert "all is well" in r.out
    assert r.err == ""
    assert a.box.files() == before
    assert not os.path.exists(haul.state)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_pop3(account, haul, tls):
    a = account("pop3", tls=tls)
    a.box.add(corpus.message(1), corpus.message(2))
    r = check(haul)
    assert "told from new by UIDL" in r.out
    assert "PLAIN: the strongest" in r.out
    assert "2 messages" in r.out
    assert len(a.box.messages()) == 2
    got = as_json(listed(haul, "a", "--json"))
    assert got["messages"] == 2 and got["protocol"] == "pop3"
    assert not os.path.exists(haul.state)


def test_json(account, haul, server):
    a = account("imap", mailboxes=["INBOX"])
    a.box.add(corpus.message(1))
    account("imap", name="b", password="wr0ng-Pa55")
    a, b = as_json(check(haul, "--json", status=NOPERM))["accounts"]
    assert a["account"] == "a" and a["ok"] and a["exit_status"] == 0
    assert a["certificates"][0]["pin"] == pin_of(
        os.path.join(server.dir, "tls", "server.pem"))
    assert a["tls"]["verified_by"] == "chain"
    inbox, = [m for m in a["mailboxes"] if m["name"] == "INBOX"]
    assert inbox["chosen"] and inbox["messages"] == 1
    assert inbox["uidnext"] == 2
    assert b["exit_status"] == NOPERM and b["error"]["kind"] == "auth"
    assert "password" in b["error"]["hint"]
    assert "AUTH=PLAIN" in b["offered"] and "capabilities" not in b


def test_list(account, haul, server):
    a = account("imap", mailboxes=["INBOX", "!x"])
    a.box.add(corpus.message(1))
    server.box(a.user, "x")
    lines = listed(haul, "a").out.splitlines()
    assert lines[1:] == ["           0          1  x",
                         "*          1          2  INBOX"]
    got = as_json(listed(haul, "a", "--json"))
    assert [(m["name"], m["chosen"]) for m in got["mailboxes"]] == \
        [("x", False), ("INBOX", True)]
    assert got["not_shown"] == 0


def test_while_a_daemon_runs(account, haul, daemon):
    a = account("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        before = sorted(os.listdir(haul.state))
        assert "INBOX" in listed(haul, "a").out
        assert sorted(os.listdir(haul.state)) == before
    assert a.maildir.count() == 0


def test_an_account_of_many(account, haul):
    account("imap")
    account("imap", name="b", password="wr0ng-Pa55")
    assert check(haul, "a").out.count("all is well") == 1
    check(haul, status=NOPERM)
    r = check(haul, "c", status=USAGE)
    assert 'no account "c"' in r.err
    listed(haul, status=USAGE)
    listed(haul, "a", "b", status=USAGE)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
def test_an_account_of_a_users_own(fake):
    p = People()
    try:
        h = Haul(p.dir)
        h.prefix = p.prefix
        h.globals["users"] = ["alice"]
        h.write_conf()
        p.file("alice", "password", model.PASSWORD + "\n")
        fake("imap", of=Own(p, "alice"), name="work", password=None,
             password_file="~/password")
        r = check(h, "alice/work")
        assert r.out.startswith("alice/work: imap")
        assert "all is well" in r.out
        assert "INBOX" in listed(h, "alice/work").out
        assert not os.path.exists(h.state)
    finally:
        p.close()


BRIDGE = """
import os, socket, sys, threading
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while True:
        data = os.read(0, 65536)
        if not data:
            os._exit(0)
        s.sendall(data)
threading.Thread(target=up).start()
while True:
    data = s.recv(65536)
    if not data:
        os._exit(0)
    os.write(1, data)
"""


def test_by_a_tunnel(fake, haul, tmp_path):
    f = fake("imap")
    bridge = tmp_path / "bridge.py"
    bridge.write_text(BRIDGE)
    haul.change(host="imap.hidden.invalid", tunnel=[
        "/usr/bin/python3", "-S", str(bridge), str(f.server.port)])
    r = check(haul)
    assert "by the tunnel /usr/bin/python3" in r.out
    assert "all is well" in r.out
    haul.change(tunnel=["sh", "-c", "echo locked >&2; exit 3"])
    failed(haul, UNAVAILABLE, "locked", "by hand")


# ---- nothing is done there ----

def test_asks_and_changes_nothing(fake, haul):
    f = fake("imap", mailboxes=["INBOX", "Other"], after="delete")
    f.box.add(corpus.message(1))
    f.boxes["Other"] = model.Box()
    check(haul)
    said = {line.split()[1].upper() for line in f.asked()}
    assert said == {"CAPABILITY", "AUTHENTICATE", "ID", "LIST", "STATUS",
                    "LOGOUT"}
    assert [m.flags for m in f.box.mails] == [set()]


def test_pop3_asks_and_changes_nothing(fake, haul):
    f = fake("pop3", after="delete")
    f.box.add(corpus.message(1))
    check(haul)
    said = {line.split()[0].upper() for line in f.asked()}
    assert said <= {"CAPA", "AUTH", "USER", "PASS", "STAT", "QUIT"}
    assert len(f.box.mails) == 1


# ---- what is wrong, and what to do ----

@contextlib.contextmanager
def nobody():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


def failed(haul, status, *words):
    """The same for both commands; each word stands in both."""
    r = check(haul, status=status)
    assert "FAILED" in r.out and "what to do" in r.out, r
    l = listed(haul, "a", status=status)
    for w in words:
        assert w in r.out, r
        assert w in l.err, l
    return r


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_password(account, haul, protocol):
    account(protocol, password="wr0ng-Pa55")
    failed(haul, NOPERM, "Authentication failed", "check user")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_listens(haul, protocol):
    with nobody() as port:
        haul.account(protocol=protocol, host="127.0.0.1", port=port,
                     user="u", password="p4ssw")
        failed(haul, UNAVAILABLE, "refused", "port %d" % port)


def test_an_unknown_host(haul):
    haul.account(protocol="imap", host="no-such-host.invalid", user="u",
                 password="p4ssw", connect_timeout="5s")
    r = check(haul, status=UNAVAILABLE)
    assert "no-such-host.invalid" in r.out and "what to do" in r.out


def test_no_tls_on_that_port(account, haul, server):
    account("imap", port=server.imap)
    r = failed(haul, NOPERM, "does not speak TLS", "tls = starttls")
    assert "127.0.0.1:%d" % server.imap in r.out


@pytest.mark.parametrize("ask,status,word", [
    (("imap", "pop3"), PROTOCOL, "protocol = pop3"),
    (("pop3", "imap"), PROTOCOL, "protocol = imap")])
def test_the_other_protocol(account, haul, server, ask, status, word):
    account(ask[0], port=server.port(ask[1], "implicit"))
    failed(haul, status, word)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_certificate_of_its_own(fake, haul, tmp_path, tls):
    d = str(tmp_path / "tls")
    dovecot.make_certs(d)
    d = issue(d, "own", ca=None)
    f = fake("imap", certs=d, tls=tls, host="localhost")
    r = failed(haul, NOPERM, "self-signed", "tls-pin")
    assert "REFUSED" in r.out
    assert pin_of(d + "/server.pem") in r.out
    assert not model.secrets_in(f.server.heard())


def test_a_certificate_for_another_name(account, haul):
    account("imap", tls_name="mail.example.org")
    failed(haul, NOPERM, "does not name mail.example.org", "tls-name")


def test_no_login_there(fake, haul):
    fake("imap", traits={"capa": "IMAP4rev1 LOGINDISABLED"}, auth="login")
    r = check(haul, status=NOPERM)
    assert "LOGINDISABLED" in r.out and "what to do" in r.out


def test_imap_is_not_switched_on(fake, haul):
    fake("imap", traits={
        "login_answer": "NO [ALERT] You are yet to enable IMAP for it"})
    failed(haul, NOPERM, "switch IMAP on")


def test_a_mailbox_that_is_not_there(account, haul):
    account("imap", mailboxes=["INBOX", "Nope"])
    r = check(haul, status=TEMPFAIL)
    assert "Nope" in r.out and "mailhaul list a" in r.out
    assert [line for line in r.out.splitlines()
            if line.startswith("  * ") and "INBOX" in line]


def test_nothing_is_chosen(account, haul):
    account("imap", mailboxes=["Lists/*"])
    assert "no mailbox of the server fits" in check(haul).out


def test_no_secret(haul):
    haul.account(protocol="imap", host="localhost", user="u",
                 password_command=["sh", "-c", "echo locked >&2; exit 1"])
    r = check(haul, status=NOPERM)
    assert "password-command" in r.out and "locked" in r.out
    assert "what to do" not in r.out


def test_a_mistake_in_the_configuration(haul):
    haul.account(protocol="imap", hots="localhost", user="u", password="p4s")
    r = check(haul, status=CONFIG)
    assert "hots" in r.err


# ---- hostile servers ----

@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_silence(fake, account, haul, protocol):
    """It delays its own account alone, and the order is kept."""
    fake(protocol, lambda s, n: s.p.more(), total_timeout="1s")
    account("imap", name="b")
    r = check(haul, status=UNAVAILABLE)
    assert "took longer than 1 s" in r.out
    assert r.out.index("a: ") < r.out.index("b: ")
    assert r.out.count("all is well") == 1


def many(s, number):
    """100,000 mailboxes, some with names that are no good for a terminal."""
    def do_list(tag, args):
        lines = ['* LIST () "/" "%s%d"' % (
            "L/" if i % 2 else "&IC4-x\\\\", i) for i in range(100000)]
        s.say("\r\n".join(lines))
        s.say(tag + " OK done")

    def do_status(tag, args):
        s.say("* STATUS %s (MESSAGES 1 UIDNEXT 2)" % args.split("(")[0])
        s.say(tag + " OK done")
    s.do_list, s.do_status = do_list, do_status


def test_many_mailboxes_with_hostile_names(fake, haul):
    fake("imap", many, mailboxes=["L/*"])
    r = check(haul)
    assert "\u202e" not in r.text
    assert "\\xE2\\x80\\xAEx" in r.out  # no text from right to left
    assert r.out.count("\n") < 1100
    assert "and 99000 more, of which 49500 are chosen" in r.out
    got = as_json(listed(haul, "a", "--json"))
    assert len(got["mailboxes"]) == 1000 and got["not_shown"] == 99000


def test_hostile_words(fake, haul):
    fake("imap", traits={"greeting": "* OK \x1b[31m\x9b " + "x" * 70000})
    r = check(haul)
    assert "\x1b" not in r.text
    assert "\\x1B[31m" in r.out


def test_no_secret_in_the_trace(fake, haul):
    f = fake("imap")
    r = check(haul, "-vvv")
    assert "LIST" in r.err
    assert not model.secrets_in(r.text.encode(), model.PASSWORD, model.USER)
    f = fake("imap", name="b", traits={
        "refuse_login": "NO wrong: " + "wr0ng-Pa55"}, password="wr0ng-Pa55")
    assert "wr0ng" not in check(haul, "b", status=NOPERM).text
    assert f.asked()


def test_a_server_that_repeats_the_password(fake, haul):
    f = fake("imap", traits={"capa": "IMAP4rev1 ID X-" + model.PASSWORD})
    f.boxes["Lists/" + model.PASSWORD] = model.Box()
    r = check(haul)
    assert r.out.count("(the server repeats the password here)") >= 3
    check(haul, "--json")


# ---- when it ends before its time ----

def silent(fake, haul):
    """A check that waits for a server."""
    f = fake("imap", lambda s, n: s.p.more())
    proc = haul.start("--online", command="check")
    f.server.wait_for(lambda: f.sessions, 20, "a connection")
    return proc


def test_a_signal(fake, haul):
    proc = silent(fake, haul)
    proc.send_signal(signal.SIGTERM)
    r = haul.finish(proc)
    assert r.status == TEMPFAIL and "interrupted" in r.out, r


def test_the_engine_dies(fake, haul):
    proc = silent(fake, haul)
    engine, = [p for p, name in names_of(family(proc.pid)).items()
               if name.startswith("mailhaul: engine")]
    os.kill(engine, signal.SIGKILL)
    r = haul.finish(proc)
    assert r.status == TEMPFAIL and "was killed by signal 9" in r.out, r


def test_nobody_survives_it(fake, haul):
    proc = silent(fake, haul)
    others = family(proc.pid)
    proc.kill()
    proc.communicate(timeout=20)  # the pipes are held by whoever is left
    until(lambda: not names_of(others[1:]), 10, "the end of all")
