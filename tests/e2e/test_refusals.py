# SPDX-License-Identifier: ISC
"""What mailhaul refuses, in which words and with which exit status."""

import os
import socket
import subprocess

import pytest

import corpus
import dovecot
from haul import (CONFIG, MAILHAUL, NOPERM, OK, SLOW, TEMPFAIL, UNAVAILABLE,
                  USAGE, check)

PROTOCOLS = ["imap", "pop3"]


@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_password(account, haul, protocol, tls):
    a = account(protocol, tls=tls, password="wr0ng-Pa55")
    a.box.add(corpus.message(1))
    r = haul.fetch(status=NOPERM)
    assert a.name in r.text
    assert "password" in r.text.lower() or "auth" in r.text.lower()


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unknown_authority(account, haul, certs, protocol, tls):
    account(protocol, tls=tls, tls_ca_file=certs + "/ca.pem")
    r = haul.fetch(status=NOPERM)
    assert "certificate" in r.text.lower()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_systems_authorities_do_not_know_ours(account, haul, protocol):
    account(protocol, tls_ca_file=None)
    r = haul.fetch(status=NOPERM)
    assert "certificate" in r.text.lower()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_for_another_name(account, haul, protocol):
    account(protocol, tls_name="mail.example.org")
    r = haul.fetch(status=NOPERM)
    assert "mail.example.org" in r.text


def test_an_address_is_checked_too(account, haul):
    a = account("imap", host="127.0.0.1")
    a.box.add(corpus.message(1))
    haul.fetch()
    assert a.maildir.count() == 1
    haul.change(tls_name="192.0.2.1")
    haul.fetch(status=NOPERM)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_listens(haul, protocol):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        haul.account("a", protocol=protocol, host="127.0.0.1", tls="none",
                     port=s.getsockname()[1], user="u", password="p4ssw",
                     retries=0)
        r = haul.fetch(status=UNAVAILABLE)
    assert "refused" in r.text.lower()


def test_an_unknown_host(haul):
    haul.account("a", protocol="imap", host="no-such-host.invalid",
                 user="u", password="p4ssw", retries=0,
                 connect_timeout="5s")
    r = haul.fetch(status=(UNAVAILABLE, TEMPFAIL))
    assert "no-such-host.invalid" in r.text


def test_a_server_that_accepts_and_is_silent(fake, haul):
    fake("imap", lambda s, n: s.p.more(), command_timeout="1s",
         tls_timeout="1s")
    r = haul.fetch(status=(UNAVAILABLE, TEMPFAIL))
    assert r.seconds < 20 * SLOW


def test_tls_to_a_clear_server_and_back(fake, haul):
    f = fake("imap", tls="none")
    haul.change(tls="implicit", tls_timeout="2s")
    haul.fetch(status=(NOPERM, UNAVAILABLE))
    import model
    assert not model.secrets_in(f.server.heard())


# ---- the configuration ----

GOOD = """account a {
    protocol = imap
    host = "localhost"
    user = "u"
    password = "p4ssw"
    maildir = "~/Maildir"
}
"""

WRONG = {
    "misspelt": (GOOD.replace("maildir", "maildri"), 6, "maildir"),
    "value": (GOOD.replace("= imap", "= imapp"), 2, "imap"),
    "no-host": (GOOD.replace('    host = "localhost"\n', ""), None, "host"),
    "no-maildir": (GOOD.replace('    maildir = "~/Maildir"\n', ""), None,
                   "maildir"),
    "number": (GOOD.replace("user", "port = 70000\n    user"), 4, "port"),
    "type": (GOOD.replace("user", "port = mail\n    user"), 4, "port"),
    "duplicate": (GOOD + GOOD, 8, "a"),
    "no-brace": (GOOD.replace("}", ""), None, ""),
    "newline-in-user": (GOOD.replace('"u"', '"u\\r\\nx"'), 4, "user"),
    "duration": (GOOD.replace("user", "command-timeout = 5x\n    user"), 4,
                 "command-timeout"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", ["check", "fetch"])
def test_errors_of_the_configuration(haul, command, name):
    text, line, word = WRONG[name]
    haul.write_conf('state-dir = "%s"\n' % haul.state + text)
    r = haul.run(command=command)
    assert r.status == CONFIG, r
    if line is not None:
        assert "%s:%d:" % (haul.conf, line + 1) in r.text, r
    assert word in r.text, r
    assert "p4ssw" not in r.text
    assert not os.path.exists(haul.state)


def test_all_errors_of_a_file_in_one_run(haul):
    haul.write_conf(GOOD.replace("maildir", "maildri").replace(
        "imap", "imapp"))
    r = haul.run(command="check")
    assert r.status == CONFIG
    assert "maildri" in r.text and "imapp" in r.text


def test_a_file_that_others_may_read(haul):
    haul.account("a", host="localhost", user="u", password="p4ssw")
    os.chmod(haul.conf, 0o644)
    r = haul.run(command="check")
    assert r.status == CONFIG, r
    os.chmod(haul.conf, 0o600)
    assert haul.run(command="check").status == OK


def test_no_configuration_at_all(haul):
    r = haul.run(command="check")
    assert r.status == CONFIG
    assert haul.conf in r.text


def test_check_says_a_line_per_account(haul):
    haul.account("work", host="imap.example.org", user="u", password="p4ssw")
    haul.account("old", protocol="pop3", host="pop.example.org", user="v",
                 password="p4ssw", after="delete")
    r = haul.run(command="check")
    assert r.status == OK, r
    lines = r.out.strip().split("\n")
    assert len(lines) == 2
    assert "work" in lines[0] and "imap.example.org" in lines[0]
    assert "old" in lines[1] and "delete" in lines[1]


def test_the_examples_in_the_documents(haul):
    from haul import TOP
    with open(os.path.join(TOP, "README.md")) as f:
        readme = f.read()
    block = readme[readme.index("    account work {"):]
    block = block[:block.index("\n    }\n") + 7]
    with open(os.path.join(TOP, "etc", "mailhaul.conf")) as f:
        sample = f.read()
    for text in (block, sample):
        haul.write_conf(text)
        r = haul.run(command="check")
        assert r.status == OK, r
        assert "work: imap" in r.out


def test_an_unknown_account(account, haul):
    account("imap", name="work")
    r = haul.fetch("wrok", status=(USAGE, CONFIG))
    assert "wrok" in r.text and "work" in r.text


@pytest.mark.parametrize("args", [
    ["nonsense"], [], ["fetch", "--nonsense"], ["-c"],
    ["fetch", "-Z"]])
def test_wrong_usage(args):
    r = subprocess.run([MAILHAUL, *args], capture_output=True)
    assert r.returncode == USAGE, r


def test_the_version():
    r = subprocess.run([MAILHAUL, "--version"], capture_output=True)
    assert r.returncode == OK
    assert r.stdout.startswith(b"mailhaul 0.")


# ---- where the secret comes from ----

def test_a_password_file(account, haul, tmp_path):
    f = tmp_path / "secret"
    f.write_text(dovecot.PASSWORD + "\n")
    f.chmod(0o600)
    a = account("imap", password=None, password_file=str(f))
    a.box.add(corpus.message(1))
    haul.fetch()
    assert a.maildir.count() == 1
    f.chmod(0o644)
    r = haul.fetch(status=CONFIG)
    assert str(f) in r.text
    f.unlink()
    r = haul.fetch(status=CONFIG)
    assert str(f) in r.text
    assert "no such file" in r.text.lower()


def test_a_credential_of_systemd(account, haul, tmp_path):
    d = tmp_path / "credentials"
    d.mkdir(mode=0o700)
    (d / "mail").write_text(dovecot.PASSWORD)
    (d / "mail").chmod(0o400)
    haul.env["CREDENTIALS_DIRECTORY"] = str(d)
    a = account("pop3", password=None, password_credential="mail")
    a.box.add(corpus.message(1))
    haul.fetch()
    assert a.maildir.count() == 1


def test_a_password_command(account, haul):
    a = account("imap", password=None, password_command=[
        "/bin/echo", dovecot.PASSWORD])
    a.box.add(corpus.message(1))
    haul.fetch()
    assert a.maildir.count() == 1


def test_a_password_command_is_no_shell(account, haul, tmp_path):
    account("imap", password=None, password_command=[
        "/bin/echo", "x; touch %s/owned" % tmp_path])
    haul.fetch(status=NOPERM)
    assert not (tmp_path / "owned").exists()


def test_a_password_command_that_fails(account, haul):
    account("imap", password=None, password_command=[
        "/bin/sh", "-c", "echo the key is locked >&2; exit 3"])
    r = haul.fetch(status=None)
    assert r.status not in (OK, CONFIG), r
    assert "the key is locked" in r.text
    assert "3" in r.text


def test_a_password_command_that_is_missing(account, haul):
    account("imap", password=None, password_command=["/no/such/program"])
    r = haul.fetch(status=None)
    assert r.status != OK
    assert "/no/such/program" in r.text


@pytest.mark.slow
def test_a_password_command_that_hangs(account, haul):
    good = account("imap", name="good")
    good.box.add(corpus.message(1))
    account("imap", name="hung", password=None, password_command=[
        "/bin/sh", "-c", "sleep 1000 & wait"])
    p = haul.start()
    from haul import family, until
    # the other account does not wait for it
    until(lambda: good.maildir.count() == 1, what="the other account")
    pids = family(p.pid)
    p.terminate()
    r = haul.finish(p, timeout=20)
    assert r.status != OK
    until(lambda: not any(os.path.exists("/proc/%d" % x) for x in pids),
          what="the end of the command")


def test_the_secret_is_not_in_the_environment_or_arguments(fake, haul):
    from haul import family, until
    f = fake("imap", lambda s, n: s.p.more() and s.p.more())
    p = haul.start()
    until(lambda: f.server.peers, what="a connection")
    for pid in family(p.pid):
        for name in ("cmdline", "environ"):
            try:
                with open("/proc/%d/%s" % (pid, name), "rb") as h:
                    assert b"s3cret" not in h.read()
            except OSError:
                pass
    p.terminate()
    haul.finish(p)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_trace_masks_credentials(account, haul, protocol):
    haul.globals["log-level"] = "trace"
    for tls in ("implicit", "none"):
        a = account(protocol, tls=tls, name=tls)
        a.box.add(corpus.message(1))
    r = haul.fetch()  # finish() looks for the password in all it prints
    assert "C: " in r.text and "S: " in r.text
    check(haul.maildir("none"), [corpus.message(1)])
