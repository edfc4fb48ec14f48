# SPDX-License-Identifier: ISC
"""Servers that cannot simply be dialled: behind a proxy, behind a tunnel, and
those that want us to come from an address."""

import json
import os
import re
import signal
import socket

import pytest

import corpus
import model
from clock import Clock
from daemon import Daemon
from haul import (CONFIG, NOPERM, PROTOCOL, UNAVAILABLE, Haul, check, until)
from people import ALICE, Own, People
from proxy import PYTHON, Cable, Names, Proxy, Tunnel

NAME = "imap.hidden.example"
PORT = 1143
SECRET = "ope%3An%20sesame"  # as in a URL
KINDS = pytest.mark.parametrize("kind", ["socks5", "http"])
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="it needs root")


@pytest.fixture
def hidden(fake):
    """A server whose name only the proxy knows, with one message."""
    made = []

    def make(kind, protocol="imap", session=None, name="a", url=None,
             how="", refuse=None, user=None, password=None, address="127.0.0.1",
             **options):
        options.setdefault("tls_name", "localhost"
                           if options.get("tls", "none") != "none" else None)
        f = fake(protocol, session, name=name, host=NAME, address=address,
                 **dict(options, port=PORT))
        f.box.add(corpus.message(1))
        f.proxy = Proxy(kind, {(NAME, PORT): (address, f.server.port)},
                        user, password, how, refuse, address)
        made.append(f.proxy)
        f.haul.change(name, proxy=url or f.proxy.url())
        return f
    yield make
    for p in made:
        p.stop()
        for e in p.errors:
            raise e


# ---- proxies ----

@KINDS
@pytest.mark.parametrize("tls", ["none", "implicit", "starttls"])
def test_a_server_whose_name_only_the_proxy_knows(haul, hidden, kind, tls):
    f = hidden(kind, tls=tls)
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert f.proxy.asked == [(NAME, PORT)]


@KINDS
def test_the_name_in_the_certificate_is_that_of_the_server(
        haul, hidden, kind):
    f = hidden(kind, tls="implicit", tls_name=None)
    r = haul.fetch(status=NOPERM)
    assert NAME in r.text
    assert f.server.heard() == b""


@KINDS
@pytest.mark.parametrize("how", ["pieces", "early"])
def test_what_a_proxy_says_comes_in_any_pieces(haul, hidden, kind, how):
    f = hidden(kind, how=how, protocol="pop3")
    haul.fetch()
    check(f.maildir, f.box.octets())


@KINDS
def test_a_server_that_is_named_by_its_address(haul, hidden, kind):
    f = hidden(kind)
    f.proxy.names = {("127.0.0.1", f.server.port):
                     ("127.0.0.1", f.server.port)}
    haul.change(host="127.0.0.1", port=f.server.port)
    haul.fetch()
    assert f.proxy.asked == [("127.0.0.1", f.server.port)]


@KINDS
def test_a_user_and_a_password(haul, hidden, kind):
    """And neither is seen, however much is logged."""
    f = hidden(kind, user="alice", password="ope:n sesame")
    haul.change(proxy=f.proxy.url("alice", SECRET))
    r = haul.fetch("-vvv")
    assert f.proxy.logins == [("alice", "ope:n sesame")]
    check(f.maildir, f.box.octets())
    for form in ["sesame", SECRET, "YWxpY2U6"]:
        assert form not in r.text


@KINDS
@pytest.mark.parametrize("who", [None, "alice"])
def test_a_proxy_that_refuses_us_is_not_asked_again(
        haul, hidden, daemon, kind, who):
    f = hidden(kind, user="alice", password="x")
    haul.change(proxy=f.proxy.url(who, "wrong-secret" if who else None))
    r = haul.fetch("-vvv", status=CONFIG)
    assert "the option proxy" in r.text
    assert "wrong-secret" not in r.text
    before = f.proxy.connects
    with Clock() as c, daemon(env=c.env) as d:
        d.wait_state("a", "stopped")
        c.advance(4 * 3600)
        assert d.account()["state"] == "stopped"
        assert f.proxy.connects == before + 1
        f.proxy.user = None
        haul.change(proxy=f.proxy.url())
        d.command("reload")
        d.wait_mail()
    assert "wrong-secret" not in d.log.text()


@KINDS
@pytest.mark.parametrize("how, refuse, status, words", [
    ("hang-up", None, UNAVAILABLE, "has hung up"),
    ("garbage", None, PROTOCOL, "does not speak"),
    ("", 2, UNAVAILABLE, "the proxy's rules do not allow it"),
    ("", 4, UNAVAILABLE, "unreachable|502"),
    ("", 5, UNAVAILABLE, "refused|504"),
    ("hang", None, UNAVAILABLE, "has not connected us to .* within 1 s"),
])
def test_a_proxy_that_does_not_connect(
        haul, hidden, kind, how, refuse, status, words):
    if kind == "http" and refuse:
        refuse = {2: 403, 4: 502, 5: 504}[refuse]
    f = hidden(kind, how=how, refuse=refuse, connect_timeout="1s")
    r = haul.fetch(status=status)
    assert "the proxy 127.0.0.1:%d" % f.proxy.port in r.text
    if refuse or how == "hang-up":
        assert "%s:%d" % (NAME, PORT) in r.text
    assert re.search(words, r.text), r


@KINDS
def test_a_proxy_that_is_not_there(haul, hidden, kind):
    f = hidden(kind)
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    haul.change(proxy="%s://127.0.0.1:%d" % (kind, port))
    r = haul.fetch(status=UNAVAILABLE)
    assert "the proxy: 127.0.0.1:%d: Connection refused" % port in r.text
    assert f.server.connects == []


def test_a_proxy_that_hangs_delays_its_own_accounts_alone(
        haul, fake, hidden, daemon):
    f = hidden("socks5", how="hang")
    g = fake("imap", name="b")
    with daemon() as d:
        f.proxy.wait_for(lambda: f.proxy.connects)
        g.idler()
        g.box.add(corpus.message(2))
        d.wait_mail("b")
        assert f.proxy.connects == 1


def test_a_proxy_that_goes_and_comes(haul, hidden, daemon):
    f = hidden("http")
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        f.proxy.cut()
        f.box.add(corpus.message(2))
        c.until(lambda: f.maildir.count() == 2, 60, "mail")
    check(f.maildir, f.box.octets())
    assert f.proxy.asked == [(NAME, PORT)] * 2


# ---- names ----

@ROOT
@KINDS
def test_nothing_but_the_proxys_name_is_looked_up(
        haul, hidden, tmp_path, kind):
    f = hidden(kind)
    with Names({"proxy.example": "127.0.0.1"}) as names:
        haul.prefix = names.prefix(tmp_path)
        haul.change(proxy=f.proxy.url(host="proxy.example"))
        haul.fetch()
        assert set(names.asked) == {"proxy.example"}
        check(f.maildir, f.box.octets())
        # and it would be seen
        haul.change(proxy="none")
        haul.fetch(status=UNAVAILABLE)
        assert NAME in names.asked


@KINDS
def test_no_packet_goes_past_the_proxy(haul, net, hidden, tmp_path, kind):
    f = hidden(kind, address=net.server, tls="implicit")
    with Names(address=net.server) as names, Cable(net) as cable:
        haul.prefix = [*net.prefix, *names.prefix(tmp_path)]
        haul.fetch()
        check(f.maildir, f.box.octets())
        assert cable.seen() == {(6, net.server, f.proxy.port)}
        haul.change(proxy="none")
        haul.fetch(status=UNAVAILABLE)
        assert (17, net.server, names.port) in cable.seen()


@ROOT
@pytest.mark.parametrize("way", ["proxy", "tunnel"])
def test_what_would_ask_for_the_name_is_refused(
        haul, hidden, tmp_path, way):
    f = hidden("socks5", tls="implicit", tls_verify="dane", tls_name=None)
    if way == "tunnel":
        haul.change(proxy=None, tunnel=["false"])
    with Names() as names:
        haul.prefix = names.prefix(tmp_path)
        r = haul.fetch(status=CONFIG)
        assert "dane" in r.text
        assert names.asked == []
    assert f.server.connects == []


# ---- where we come from, and by which way ----

def test_the_address_that_the_server_sees(haul, fake):
    seen = []
    f = fake("imap", lambda s, n: seen.append(s.p.sock.getpeername()[0]),
             bind_address="127.0.0.7")
    haul.fetch()
    assert seen == ["127.0.0.7"]
    haul.change(bind_address="192.0.2.7")
    r = haul.fetch(status=UNAVAILABLE)
    assert "bind-address 192.0.2.7: this machine has no such address" in r.text
    assert len(f.server.connects) == 1


def test_the_proxy_sees_that_address(haul, hidden):
    f = hidden("socks5")
    haul.change(bind_address="127.0.0.7")
    seen = []
    one = f.proxy.one
    f.proxy.one = lambda s: (seen.append(s.getpeername()[0]), one(s))
    haul.fetch()
    assert seen == ["127.0.0.7"]


def test_addresses_of_one_family_alone(haul, fake):
    """localhost has both, and the server listens on one of them."""
    f = fake("imap", host="localhost", address_family="ipv4")
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    haul.change(address_family="ipv6")
    r = haul.fetch(status=UNAVAILABLE)
    assert "[::1]:%d" % f.server.port in r.text
    assert "127.0.0.1" not in r.text
    assert len(f.server.connects) == 1


@ROOT
def test_a_name_without_an_address_of_that_family(haul, fake, tmp_path):
    f = fake("imap", host="old.example", address_family="ipv6")
    with Names({"old.example": "127.0.0.1"}) as names:
        haul.prefix = names.prefix(tmp_path)
        r = haul.fetch(status=UNAVAILABLE)
        assert "old.example has no IPv6 address" in r.text
        assert set(names.asked) == {"old.example"}
        haul.change(address_family="ipv4")
        haul.fetch()
        assert len(names.asked) == 2
    assert len(f.server.connects) == 1


# ---- tunnels ----

@pytest.fixture
def tunnelled(fake, tmp_path):
    """A server with one message, at the other end of a tunnel."""
    def make(protocol="imap", session=None, name="a", stays=False,
             **options):
        f = fake(protocol, session, name=name, **options)
        f.box.add(corpus.message(1))
        f.tunnel = Tunnel(tmp_path, f.server.port, name=name, stays=stays)
        f.haul.change(name, host=NAME, port=PORT, tunnel=f.tunnel.argv)
        return f
    return make


PREAUTH = {"greeting": "* PREAUTH welcome", "logged_in": True}


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("tls", ["none", "implicit", "starttls"])
def test_a_server_behind_a_tunnel(haul, tunnelled, protocol, tls):
    f = tunnelled(protocol, tls=tls, tls_name=None if tls == "none"
                  else "localhost")
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert len(f.tunnel.pids()) == 1
    assert f.tunnel.living() == []


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_a_tunnel_that_has_logged_in_for_us(haul, tunnelled, tls):
    """No credential is said, and none is needed."""
    f = tunnelled(traits=PREAUTH, password=None, tls=tls,
                  tls_name=None if tls == "none" else "localhost")
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert f.server.logins == []
    assert not model.secrets_in(f.server.heard())
    assert not any("LOGIN" in x or "AUTHENTICATE" in x for x in f.asked())


def test_a_login_is_wanted_all_the_same(haul, tunnelled):
    f = tunnelled(password=None)
    r = haul.fetch(status=CONFIG)
    assert "the server wants a login, and there is no password" in r.text
    assert f.server.logins == []


@pytest.mark.parametrize("by_tunnel, tls, status", [
    (True, "starttls", NOPERM), (False, "starttls", NOPERM),
    (False, "implicit", NOPERM)])
def test_preauth_where_it_has_no_place(
        haul, fake, tunnelled, by_tunnel, tls, status):
    make = tunnelled if by_tunnel else lambda **kw: fake("imap", **kw)
    f = make(traits=PREAUTH, tls=tls, tls_name="localhost")
    r = haul.fetch(status=status)
    assert "PREAUTH" in r.text
    assert f.asked() == []
    assert f.maildir.count() == 0


@pytest.mark.parametrize("tls", ["none", "implicit"])
@pytest.mark.parametrize("script, words", [
    ("echo 'Host key: fine' >&2; echo 'Permission denied (publickey).' >&2;"
     "exit 255", "exited with status 255: Permission denied (publickey)."),
    ("kill -9 $$", "was killed by SIGKILL"),
    ("read x; exit 3", "exited with status 3"),
])
def test_a_tunnel_that_ends_at_once(haul, fake, tls, script, words):
    if tls == "none" and script.startswith("read"):
        script = script[8:]  # nobody says a word before the server does
    fake("imap", tls=tls, tunnel=["sh", "-c", script])
    r = haul.fetch(status=UNAVAILABLE)
    assert "tunnel sh " + words in r.text


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_a_program_that_is_not_there(haul, fake, tls):
    fake("imap", tls=tls, tunnel=["/no/such/program"])
    r = haul.fetch(status=CONFIG)
    assert "tunnel: cannot run /no/such/program: No such file" in r.text


def test_a_tunnel_that_says_nothing(haul, fake, tmp_path):
    pid = tmp_path / "pid"
    fake("imap", connect_timeout="1s",
         tunnel=["sh", "-c", "echo $$ >%s; exec sleep 1000" % pid])
    g = fake("imap", name="b")
    g.box.add(corpus.message(1))
    r = haul.fetch(status=UNAVAILABLE)
    assert "has said nothing for 1 s" in r.text
    check(g.maildir, g.box.octets())
    assert not os.path.exists("/proc/" + pid.read_text().strip())


SHOW_ALL = """
import json, os, sys
fds = {}
for fd in os.listdir("/proc/self/fd"):
    try:
        fds[fd] = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        pass  # that of listdir
with open(sys.argv[1], "w") as f:
    json.dump({"fds": fds, "env": dict(os.environ),
               "leads": os.getpgrp() == os.getpid()}, f)
"""


def test_what_the_program_of_a_tunnel_has(haul, fake, tmp_path):
    """Its standard input and output are one socket, and it has nothing of
    ours."""
    path, program = tmp_path / "seen", tmp_path / "program.py"
    program.write_text(SHOW_ALL)
    fake("imap", tunnel=[PYTHON, "-S", "-E", str(program), str(path)])
    haul.fetch(status=UNAVAILABLE, env={"OF_OURS": "secret"})
    seen = json.loads(path.read_text())
    assert sorted(seen["fds"]) == ["0", "1", "2"]
    assert seen["fds"]["0"] == seen["fds"]["1"]
    assert seen["fds"]["0"].startswith("socket:")
    assert seen["fds"]["2"].startswith("pipe:")
    assert seen["leads"]
    assert "OF_OURS" not in seen["env"]
    assert model.PASSWORD not in path.read_text()


@ROOT
@pytest.mark.parametrize("way", ["proxy", "tunnel"])
def test_a_check_goes_the_same_way(haul, hidden, tmp_path, way):
    f = hidden("socks5", tls="implicit")
    if way == "tunnel":
        tunnel = Tunnel(tmp_path, f.server.port)
        haul.change(proxy=None, tunnel=tunnel.argv)
    with Names() as names:
        haul.prefix = names.prefix(tmp_path)
        haul.fetch("--online", command="check")
        assert names.asked == []
    assert len(f.server.logins) == 1


# ---- tunnels of a daemon ----

def test_a_tunnel_that_is_killed_while_it_idles(haul, tunnelled, daemon):
    f = tunnelled()
    with Clock() as c, daemon(env=c.env) as d:
        f.idler()
        d.wait_state("a", "watching")
        first = f.tunnel.pids()[0]
        os.kill(first, signal.SIGKILL)
        f.box.add(corpus.message(2))
        c.until(lambda: f.maildir.count() == 2, 60, "mail")
        f.idler()
        assert f.tunnel.living() == f.tunnel.pids()[1:]
        d.wait_log("tunnel .* was killed by SIGKILL")
    check(f.maildir, f.box.octets())
    assert len(f.tunnel.pids()) == 2
    assert f.tunnel.living() == []


def test_the_tunnels_go_with_the_engine(haul, tunnelled, daemon):
    """Also such as do not see that there is nobody to speak with."""
    f = tunnelled(stays=True)
    with daemon() as d:
        f.idler()
        first = f.tunnel.pids()[0]
        d.kill_role("engine")
        f.server.wait_for(lambda: len(f.sessions) == 2)
        f.idler()
        until(lambda: f.tunnel.living() == f.tunnel.pids()[1:], 10,
              "the end of %d" % first)
    assert len(f.tunnel.pids()) == 2
    assert f.tunnel.living() == []


def test_the_tunnels_go_with_the_supervisor(haul, tunnelled, daemon):
    f = tunnelled()
    with daemon() as d:
        f.idler()
        d.kill()
        until(lambda: not f.tunnel.living(), 10, "the end of the tunnel")


def test_each_session_has_a_tunnel_of_its_own(haul, tunnelled, daemon):
    f = tunnelled(mailboxes=["INBOX", "Other"], stays=True)
    f.boxes["Other"] = model.Box()
    with daemon() as d:
        f.idler(2)
        assert len(f.tunnel.living()) == 2
        haul.change(max_connections=1)
        d.command("reload")
        until(lambda: len(f.tunnel.living()) == 1, 20, "one tunnel")
        f.box.add(corpus.message(2))
        until(lambda: f.maildir.count() == 2, 20, "mail")
    assert f.tunnel.living() == []


def test_a_deliverer_that_dies_leaves_the_tunnel_alone(
        haul, tunnelled, daemon):
    f = tunnelled()
    with daemon() as d:
        f.idler()
        d.wait_state("a", "watching")
        d.kill_role("deliverer")
        f.box.add(corpus.message(2))
        until(lambda: f.maildir.count() == 2, 20, "mail")
        assert len(f.tunnel.pids()) == 1


# ---- tunnels of users ----

@pytest.fixture
def people():
    p = People()
    yield p
    p.close()


@ROOT
def test_a_users_tunnel_is_his(fake, people):
    """If they may have programs run at all."""
    root, alice = Haul(people.dir), Own(people, "alice")
    root.globals["users"] = ["alice"]
    root.prefix = people.prefix
    root.write_conf()
    f = fake("imap", of=alice, name="work", traits=PREAUTH, password=None)
    f.box.add(corpus.message(1))
    tunnel = Tunnel(people.home("alice"), f.server.port)
    alice.change("work", tunnel=tunnel.argv)
    with Daemon(root) as d:
        d.wait_log("account work: tunnel is not allowed here")
        root.globals["user-password-command"] = True
        root.write_conf()
        assert tunnel.pids() == []
        d.command("reload")
        f.idler()
        assert os.stat(tunnel.path).st_uid == ALICE
        with open("/proc/%d/status" % tunnel.living()[0]) as s:
            assert "Uid:\t%d\t%d\t%d\t%d\n" % ((ALICE,) * 4) in s.read()
    check(f.maildir, f.box.octets())
    assert tunnel.living() == []
