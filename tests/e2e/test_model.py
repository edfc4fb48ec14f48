# SPDX-License-Identifier: ISC
"""The scripted servers themselves: tests of waiting lean on what they do."""

import socket
import ssl
import time

import pytest

import model


class Client:
    """A few words with a server, by hand."""

    def __init__(self, fake, certs=None):
        self.sock = socket.create_connection(
            ("127.0.0.1", fake.server.port), 10)
        if certs:
            c = ssl.create_default_context(cafile=certs + "/ca.pem")
            self.sock = c.wrap_socket(self.sock, server_hostname="localhost")
        self.file = self.sock.makefile("rb")

    def say(self, line):
        self.sock.sendall(line.encode() + b"\r\n")

    def hear(self):
        return self.file.readline().decode().rstrip("\r\n")

    def until(self, start):
        """Lines up to the one that starts so, which is the last."""
        out = [self.hear()]
        while not out[-1].startswith(start):
            assert out[-1] != "", out
            out.append(self.hear())
        return out

    def ask(self, line):
        self.say("t " + line)
        return self.until("t ")

    def inbox(self):
        self.hear()
        self.ask('LOGIN "%s" "%s"' % (model.USER, model.PASSWORD))
        self.ask("SELECT INBOX")
        return self

    def idle(self):
        self.say("i IDLE")
        return self.until("+")


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_mail_that_arrives_is_pushed_to_whoever_idles(fake, certs, tls):
    f = fake("imap", tls=tls)
    c = Client(f, certs if tls == "implicit" else None).inbox()
    c.idle()
    s = f.idler()
    mail = f.box.add(b"a: b\r\n\r\n")
    assert c.hear() == "* 1 EXISTS"
    f.box.remove(mail)
    assert c.hear() == "* 1 EXPUNGE"
    assert s.push_exists(7) and s.push("* OK [ALERT] beware")
    assert [c.hear(), c.hear()] == ["* 7 EXISTS", "* OK [ALERT] beware"]
    c.say("DONE")
    assert c.hear() == "i OK idle is over"
    assert not s.idling.is_set()
    assert c.ask("LOGOUT")[-1] == "t OK done"
    f.server.wait_for(lambda: not f.server.live())
    assert not s.push("* OK are you there?")


def test_what_arrived_before_idle_is_told_at_its_start(fake):
    f = fake("imap")
    c = Client(f).inbox()
    f.box.add(b"x")
    assert c.idle() == ["+ idling"]
    assert c.hear() == "* 1 EXISTS"


@pytest.mark.parametrize("tells, began, ended", [
    ("before", ["* 1 EXISTS", "+ idling"], ["i OK idle is over"]),
    ("done", ["+ idling"], ["* 1 EXISTS", "i OK idle is over"]),
    ("never", ["+ idling"], ["i OK idle is over"])])
def test_exists_comes_where_it_is_wanted(fake, tells, began, ended):
    f = fake("imap", traits=dict(idle_tells=tells))
    c = Client(f).inbox()
    f.box.add(b"x")
    assert c.idle() == began
    c.say("DONE")
    assert c.until("i ") == ended
    told = ["* 1 EXISTS"] if tells == "never" else []
    assert c.ask("NOOP") == told + ["t OK done"]


def test_the_plus_may_be_late_or_idle_be_refused_or_not_end(fake):
    f = fake("imap", traits=dict(idle_plus_s=0.3, idle_end="* 3 EXISTS"))
    c = Client(f).inbox()
    began = time.monotonic()
    c.idle()
    assert time.monotonic() - began >= 0.3
    c.say("DONE")
    assert c.hear() == "* 3 EXISTS"
    f.traits["idle_answer"] = "NO not today"
    assert Client(f).inbox().ask("IDLE") == ["t NO not today"]
    f.traits["capa"] = "IMAP4rev1"
    assert Client(f).inbox().ask("IDLE") == ["t BAD I know no IDLE"]


def test_idle_says_that_it_is_there_and_ends_by_bye(fake):
    f = fake("imap", traits=dict(idle_still_s=0.1, idle_bye_s=0.35))
    c = Client(f).inbox()
    c.idle()
    heard = c.until("* BYE")
    assert heard[:3] == ["* OK Still here"] * 3
    assert c.hear() == ""


def test_a_frozen_session_answers_when_it_thaws(fake):
    f = fake("imap")
    c = Client(f).inbox()
    s = f.sessions[0]
    s.p.freeze()
    c.say("t NOOP")
    c.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        c.sock.recv(1)
    s.p.thaw()
    c.sock.settimeout(10)
    assert c.sock.recv(100) == b"t OK done\r\n"


def test_a_server_that_was_down_listens_again_where_it_was(fake):
    f = fake("imap")
    c = Client(f).inbox()
    f.server.down()
    assert c.hear() == ""
    with pytest.raises(ConnectionRefusedError):
        Client(f)
    f.server.up()
    assert Client(f).hear() == "* OK ready"
    assert len(f.server.connects) == 2


def test_status_and_list_say_what_was_asked_for(fake):
    f = fake("imap", traits=dict(capa="IMAP4rev1 LIST-STATUS"))
    f.boxes["Lists/a b"] = model.Box(7, [b"x", b"yy"])
    c = Client(f).inbox()
    assert c.ask('STATUS "Lists/a b" (UIDNEXT SIZE)') == [
        '* STATUS "Lists/a b" (UIDNEXT 3 SIZE 3)', "t OK done"]
    assert c.ask("STATUS no (UIDNEXT)")[0].startswith("t NO [NONEXISTENT]")
    assert c.ask('LIST "" "%"') == ['* LIST () "/" "INBOX"', "t OK done"]
    assert c.ask('LIST "" "*" RETURN (STATUS (UIDNEXT MESSAGES))') == [
        '* LIST () "/" "INBOX"', '* STATUS "INBOX" (UIDNEXT 1 MESSAGES 0)',
        '* LIST () "/" "Lists/a b"',
        '* STATUS "Lists/a b" (UIDNEXT 3 MESSAGES 2)', "t OK done"]


def test_notify_tells_of_the_mailboxes_it_was_set_for(fake):
    f = fake("imap", traits=dict(capa="IMAP4rev1 NOTIFY"))
    for name in ("Lists/a", "Lists/b", "Other"):
        f.boxes[name] = model.Box()
    c = Client(f).inbox()
    s = f.sessions[0]
    assert c.ask(
        "NOTIFY SET STATUS (selected (MessageNew (uid body.peek[header."
        "fields (from to)]) MessageExpunge)) (mailboxes Lists/b NONE) "
        "(subtree Lists (MessageNew MessageExpunge))") == [
            '* STATUS "Lists/a" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)',
            "t OK you will hear of it"]
    f.boxes["Lists/b"].add(b"x")
    f.boxes["Other"].add(b"x")
    f.boxes["Lists/a"].add(b"x")
    assert c.hear() == \
        '* STATUS "Lists/a" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)'
    f.box.add(b"x")
    assert c.hear() == "* 1 EXISTS"
    assert s.overflow()
    assert c.hear().startswith("* OK [NOTIFICATIONOVERFLOW]")
    f.box.add(b"x")
    assert c.ask("NOOP") == ["* 2 EXISTS", "t OK done"]
    assert c.ask("NOTIFY SET (selected (MessageNew))")[0].startswith("t BAD")


def test_logins_are_counted_and_refused_on_demand(fake):
    f = fake("imap", traits=dict(login_answer="NO [UNAVAILABLE] later"))
    c = Client(f)
    c.hear()
    assert c.ask('LOGIN "%s" "%s"' % (model.USER, model.PASSWORD)) == [
        "t NO [UNAVAILABLE] later"]
    f.traits.clear()
    Client(f).inbox()
    assert [x[2] for x in f.server.logins] == [False, True]
    assert f.server.most == 2
    f.traits["greeting"] = "* BYE too many connections"
    c = Client(f)
    assert [c.hear(), c.hear()] == ["* BYE too many connections", ""]


def test_pop3_keeps_to_its_login_delay(fake):
    f = fake("pop3", traits=dict(login_delay_s=60, expire="NEVER"))
    for answer in ("+OK logged in", "-ERR [LOGIN-DELAY] not so often"):
        c = Client(f)
        c.hear()
        c.say("CAPA")
        capa = c.until(".")
        assert "LOGIN-DELAY 60" in capa and "EXPIRE NEVER" in capa
        c.say("USER " + model.USER)
        assert c.hear() == "+OK"
        c.say("PASS " + model.PASSWORD)
        assert c.hear() == answer
