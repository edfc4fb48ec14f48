# SPDX-License-Identifier: ISC
"""Logins by every mechanism that Dovecot and Cyrus have."""

import pytest

import cyrus as cyrus_module
import dovecot_sasl
from haul import NOPERM, check

SHARED = ["plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"]
BOTH = ["imap", "pop3"]
MAIL = b"Subject: one\r\n\r\none\r\n"


@pytest.fixture(scope="module")
def dovecot():
    d = dovecot_sasl.Dovecot().start()
    yield d
    d.stop()


@pytest.fixture(scope="module")
def cyrus():
    with cyrus_module.Cyrus(sasl=cyrus_module.SHARED_SECRETS) as c:
        yield c


def logged_in(server, user):
    """By what, as Dovecot writes it down."""
    return [line.partition("method=")[2].split(",")[0]
            for line in server.log().splitlines()
            if "Login: user=<%s>" % user in line]


def refusals(server, user):
    return [line for line in server.log().splitlines()
            if "auth failed" in line and "user=<%s>" % user in line]


def fetches(haul, account):
    account.box.add(MAIL)
    haul.fetch()
    check(account.maildir, [MAIL])


# ---- shared secrets ----

@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("auth", SHARED)
def test_dovecot_takes(dovecot, account_on, haul, protocol, auth):
    a = account_on(dovecot, protocol, auth=auth)
    fetches(haul, a)
    said = {m.upper() for m in logged_in(dovecot, a.user)}
    # to Dovecot, LOGIN and USER with PASS are PLAIN
    assert said == {"PLAIN" if auth == "login" else auth.upper()}


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("auth", SHARED)
def test_cyrus_takes(cyrus, account_on, haul, protocol, auth):
    fetches(haul, account_on(cyrus, protocol, auth=auth))


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
def test_auto_takes_the_strongest(dovecot, account_on, haul, protocol, tls):
    a = account_on(dovecot, protocol, tls=tls)
    fetches(haul, a)
    assert set(logged_in(dovecot, a.user)) == {"SCRAM-SHA-256"}


@pytest.mark.parametrize("auth", SHARED + ["auto"])
def test_a_wrong_password_is_tried_once(dovecot, account_on, haul, auth):
    a = account_on(dovecot, "imap", auth=auth, password="wrong")
    haul.fetch(status=NOPERM)
    assert len(refusals(dovecot, a.user)) == 1, dovecot.log()[-3000:]
    assert "(auth failed, 1 attempts" in refusals(dovecot, a.user)[0]


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("auth, user", [
    ("plain", "long"), ("login", "odd"), ("scram-sha-256", "odd"),
    ("cram-md5", "long")])
def test_a_password_may_be_any_text(dovecot, account_on, haul, protocol, auth,
                                    user):
    account_on(dovecot, protocol, auth=auth, user=user,
               password=dovecot_sasl.LONG_PASSWORD if user == "long"
               else dovecot_sasl.ODD_PASSWORD)
    haul.fetch()


# ---- certificates ----

@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("auth", ["external", "auto"])
def test_a_certificate_is_enough(dovecot, account_on, haul, protocol, auth):
    a = account_on(dovecot, protocol, auth=auth, password=None)
    cert, key = dovecot.certificate(a.user)
    haul.change(tls_cert=cert, tls_key=key)
    fetches(haul, a)
    assert set(logged_in(dovecot, a.user)) == {"EXTERNAL"}


def test_the_certificate_of_another_is_refused(dovecot, account_on, haul):
    a = account_on(dovecot, "imap", auth="external", password=None)
    cert, key = dovecot.certificate("mallory")
    haul.change(tls_cert=cert, tls_key=key)
    haul.fetch(status=NOPERM)
    assert logged_in(dovecot, a.user) == []


# ---- tokens ----

def token_account(server, account_on, tmp_path, protocol, tokens, **options):
    """Each run of its command prints the next of these."""
    a = account_on(server, protocol, password=None, **options)
    for i, token in enumerate(tokens):
        (tmp_path / str(i)).write_text(token + "\n")
    a.haul.change(token_command=[
        "/bin/sh", "-c", "cd %s; for f in ?; do cat $f; mv $f used-$f; "
        "exit; done; exit 1" % tmp_path])
    return a


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer", "auto"])
def test_a_token_is_enough(dovecot, account_on, haul, tmp_path, protocol,
                           auth):
    a = token_account(dovecot, account_on, tmp_path, protocol,
                      ["tok-%s-%s" % (protocol, auth)], auth=auth)
    dovecot.tokens.tokens["tok-%s-%s" % (protocol, auth)] = a.user
    fetches(haul, a)
    mechanism = "XOAUTH2" if auth == "auto" else auth.upper()
    assert set(logged_in(dovecot, a.user)) == {mechanism}


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_a_refused_token_is_asked_for_once_more(
        dovecot, account_on, haul, tmp_path, auth):
    good = "good-" + auth
    a = token_account(dovecot, account_on, tmp_path, "imap",
                      ["stale", good], auth=auth)
    dovecot.tokens.tokens[good] = a.user
    fetches(haul, a)


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_and_no_more(dovecot, account_on, haul, tmp_path, auth):
    token_account(dovecot, account_on, tmp_path, "imap",
                  ["stale-1", "stale-2", "stale-3"], auth=auth)
    r = haul.fetch(status=NOPERM)
    assert "401" in r.text or "invalid_token" in r.text
    assert "stale" not in r.text
    assert (tmp_path / "2").exists()
