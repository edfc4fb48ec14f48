# SPDX-License-Identifier: ISC
"""Where passwords come from: a netrc, an agent that is still locked, the
credentials of a service that is reloaded."""

import os

import pytest

import corpus
import model
from clock import Clock
from haul import CONFIG, NOPERM, TEMPFAIL, check, until

ENTRY = 'machine %s login %s password "%s"\n'


def put(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


@pytest.fixture
def netrc(haul, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    haul.env["HOME"] = str(home)
    return str(home / ".netrc")


# ---- a netrc ----

@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_netrc_has_the_password(fake, haul, netrc, protocol):
    put(netrc, ENTRY % ("127.0.0.1", "somebody-else", "no") +
        ENTRY % ("127.0.0.1", model.USER, model.PASSWORD))
    f = fake(protocol, password=None, password_netrc=True)
    f.box.add(corpus.message(1))
    r = haul.fetch()
    assert model.PASSWORD not in r.text
    check(f.maildir, f.box.octets())


@pytest.mark.parametrize("text, mode, error", [
    (ENTRY % ("127.0.0.1", model.USER, "secret-in-it"), 0o644,
     "can be read by others: chmod 600 it"),
    (ENTRY % ("imap.example.org", model.USER, "secret-in-it"), 0o600,
     "no entry for machine 127.0.0.1 and login %s" % model.USER),
    (ENTRY % ("127.0.0.1", "another", "secret-in-it"), 0o600,
     "no entry for machine 127.0.0.1 and login %s" % model.USER),
    ("machine 127.0.0.1 password secret-in-it and more\n", 0o600,
     "line 1: a word is none of machine"),
])
def test_it_says_what_is_wrong_with_a_netrc(
        fake, haul, netrc, text, mode, error):
    put(netrc, text, mode)
    f = fake("imap", password=None, password_netrc=True)
    r = haul.fetch(status=CONFIG)
    assert netrc in r.text and error in r.text
    assert "secret-in-it" not in r.text
    assert not f.server.connects


# ---- an agent ----

LOCKED = "the keyring is locked"


def agent(key):
    """As gpg and secret-tool do it: nothing but an error until it is open."""
    return ["/bin/sh", "-c",
            'cat "$1" 2>/dev/null || { echo "%s" >&2; exit 2; }' % LOCKED,
            "agent", key]


def test_a_locked_agent_at_boot(fake, haul, daemon, tmp_path):
    """No connection is made and no breaker trips: the account waits, says so,
    and mail flows when the agent is open; the other account does not wait."""
    key = str(tmp_path / "key")
    f = fake("imap", password=None, password_command=agent(key))
    other = fake("imap", name="other")
    f.box.add(corpus.message(1))
    with Clock() as c, daemon(env=c.env) as d:
        other.idler()
        a = d.wait_state("a", "secret")
        assert LOCKED in a["error"]["text"]
        shown = d.command("status", status=None).text
        assert "waiting for its secret" in shown
        for s in (31, 61, 121):
            at = d.account()["next"]
            c.advance(s)
            until(lambda: d.account()["next"] > at, what="another try")
        assert d.account()["state"] == "secret"
        assert not f.server.connects
        assert len(d.logged("waits for its secret")) == 1
        put(key, model.PASSWORD + "\n")
        c.advance(241)
        d.wait_mail()
        f.idler()
        d.wait_log("^a: its secret is there")
        d.wait_state("a", "watching")
        assert len(f.server.connects) == 1
        assert not d.logged("breaker")
    check(f.maildir, f.box.octets())


def test_told_to_resume_it_asks_the_agent_at_once(
        fake, haul, daemon, tmp_path):
    key = str(tmp_path / "key")
    f = fake("imap", password=None, password_command=agent(key))
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_state("a", "secret")
        assert LOCKED in d.command("poll", "a", status=TEMPFAIL).text
        put(key, model.PASSWORD + "\n")
        d.command("resume", "a")
        d.wait_mail()
        assert len(f.server.connects) == 1


def test_a_locked_agent_and_one_fetch(fake, haul, tmp_path):
    """It is said once, and ends as a refused password does."""
    key = str(tmp_path / "key")
    f = fake("imap", password=None, password_command=agent(key))
    f.box.add(corpus.message(1))
    r = haul.fetch(status=NOPERM)
    assert r.text.count(LOCKED) == 1
    assert not f.server.connects
    put(key, model.PASSWORD + "\n")
    haul.fetch()
    check(f.maildir, f.box.octets())


# ---- credentials of a service ----

def test_a_reload_reads_credentials_from_any_directory(
        fake, haul, daemon, tmp_path):
    """What was there is not asked for again; what is new, is."""
    path = tmp_path / "credentials"
    path.mkdir()
    put(str(path / "one"), model.PASSWORD)
    f = fake("imap", password=None, password_credential="one")
    with daemon(env={"CREDENTIALS_DIRECTORY": str(path)}) as d:
        f.idler()
        g = fake("imap", name="b", password=None, password_credential="two")
        d.command("reload")
        d.wait_state("b", "secret")
        d.wait_log("^b: warning: .*%s/two: No such file" % path)
        assert not g.server.connects
        put(str(path / "two"), model.PASSWORD + "\n")
        d.command("reload")
        d.command("poll", "b")
        g.idler()
        assert len(f.server.connects) == 1
