# SPDX-License-Identifier: ISC
"""Logins by Kerberos, in a realm of the tests' own."""

import glob
import os
import shutil
import socket

import pytest

import cyrus as cyrus_module
import dovecot_sasl
import kdc as kdc_module
import haul as haul_module
from haul import CONFIG, NOPERM, TEMPFAIL, check, family, names_of, until
from home import SHOW
from people import ALICE, Own, People, rights
from test_sasl import logged_in

BOTH = ["imap", "pop3"]
MAIL = [b"Subject: %d\r\n\r\n%d\r\n" % (i, i) for i in range(4)]
ROLE = "mailhaul: kerberos"


@pytest.fixture(scope="module")
def realm():
    with kdc_module.Kdc(users=()) as k:
        yield k


@pytest.fixture(scope="module")
def dovecot(realm):
    d = dovecot_sasl.Dovecot(realm.keytab, realm.conf).start()
    yield d
    d.stop()


@pytest.fixture
def kerberos(realm, account_on, haul):
    """An account on a server, and a ticket of its user's, if he is to have
    one."""
    def make(server, protocol, ticket=True, **options):
        a = account_on(server, protocol, auth="gssapi", password=None,
                       **options)
        realm.user(a.user)
        haul.env = dict(KRB5_CONFIG=realm.conf,
                        KRB5CCNAME="FILE:" + str(haul.dir) + "/none")
        if ticket:
            haul.env = realm.tickets(a.user)
        return a
    return make


def fetches(haul, a, *mails):
    a.box.add(*mails)
    haul.fetch()
    check(a.maildir, list(mails))


# ---- once ----

@pytest.mark.parametrize("protocol", BOTH)
def test_a_ticket_is_enough(dovecot, kerberos, haul, protocol):
    a = kerberos(dovecot, protocol)
    fetches(haul, a, MAIL[0])
    assert set(logged_in(dovecot, a.user)) == {"GSSAPI"}


def test_cyrus_takes_it(realm, kerberos, haul):
    with cyrus_module.Cyrus(sasl=cyrus_module.SHARED_SECRETS,
                            KRB5_KTNAME=realm.keytab,
                            KRB5_CONFIG=realm.conf) as server:
        a = kerberos(server, "imap")
        fetches(haul, a, MAIL[0])
        assert "logged in by GSSAPI" in haul.fetch("-vv").text
        realm.user("eve")
        haul.env = realm.tickets("eve")
        haul.fetch(status=NOPERM)


def test_keys_are_enough(realm, dovecot, kerberos, haul):
    a = kerberos(dovecot, "imap", ticket=False)
    haul.env["KRB5_CLIENT_KTNAME"] = realm.user_keytab(a.user)
    haul.env["KRB5CCNAME"] = "MEMORY:"
    fetches(haul, a, MAIL[0])


def test_check_online_logs_in_by_it(dovecot, kerberos, haul):
    kerberos(dovecot, "imap")
    r = haul.fetch("--online", command="check")
    assert "GSSAPI: auth says so" in r.text


@pytest.fixture
def people():
    p = People()
    yield p
    p.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
def test_an_account_of_a_user_uses_tickets_of_his(
        realm, dovecot, people, tmp_path):
    """What is in root's environment is not his."""
    haul = haul_module.Haul(people.dir)
    haul.prefix = people.prefix
    haul.globals["users"] = ["alice"]
    haul.write_conf()
    user = dovecot.user()
    for name in (user, "root-%s" % user):
        realm.user(name)
    haul.env = realm.tickets("root-%s" % user)
    shutil.copy(realm.tickets(user)["KRB5CCNAME"].partition(":")[2],
                os.path.join(realm.dir, "%d.cache" % ALICE))
    os.chown(os.path.join(realm.dir, "%d.cache" % ALICE), ALICE, ALICE)
    dovecot.box(user).add(MAIL[0])
    maildir = Own(people, "alice").account(
        "work", protocol="imap", host="localhost", tls="none", user=user,
        port=dovecot.port("imap", "none"), auth="gssapi", after="keep")
    haul.fetch()
    check(maildir, MAIL[:1])
    assert set(logged_in(dovecot, user)) == {"GSSAPI"}


# ---- not at all ----

@pytest.mark.parametrize("protocol", BOTH)
def test_without_a_ticket_it_says_what_to_do(
        dovecot, kerberos, haul, protocol):
    a = kerberos(dovecot, protocol, ticket=False, retries=0)
    r = haul.fetch(status=TEMPFAIL)
    assert "no Kerberos ticket for %s: run kinit" % a.user in r.text
    assert logged_in(dovecot, a.user) == []


@pytest.mark.parametrize("protocol", BOTH)
def test_the_ticket_of_another_is_refused(
        realm, dovecot, kerberos, haul, protocol):
    a = kerberos(dovecot, protocol)
    realm.user("mallory-" + protocol)
    haul.env = realm.tickets("mallory-" + protocol)
    r = haul.fetch(status=NOPERM)
    assert "the server refuses the login" in r.text
    assert logged_in(dovecot, a.user) == []
    assert logged_in(dovecot, "mallory-" + protocol) == []
    r = haul.fetch("--online", command="check", status=NOPERM)
    assert "take whom the ticket names" in r.text


def test_a_server_that_kerberos_does_not_know(dovecot, kerberos, haul):
    kerberos(dovecot, "imap", host="127.0.0.1", tls="none", retries=0)
    r = haul.fetch(status=NOPERM)
    assert "imap/127.0.0.1@MAIL.TEST not found in Kerberos database" in r.text
    assert "is host (or tls-name) the name" in r.text


def failed(result):
    return result if result.status else None


def test_a_ticket_that_has_expired(realm, dovecot, kerberos, haul):
    a = kerberos(dovecot, "imap", retries=0)
    haul.env = realm.tickets(a.user, "-l", "1s")
    r = until(lambda: failed(haul.fetch(status=None)), 10, "its end")
    assert r.status == TEMPFAIL
    assert "the Kerberos ticket of %s has expired" % a.user in r.text


def test_a_realm_that_is_away(realm, dovecot, kerberos, haul):
    kerberos(dovecot, "imap", retries=0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        haul.env["KRB5_CONFIG"] = realm.at_port(
            "nobody.conf", nobody.getsockname()[1])
        r = haul.fetch(status=TEMPFAIL)
    assert "Kerberos gives no ticket for imap/localhost" in r.text


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hide a library")
def test_a_library_that_is_missing(dovecot, kerberos, haul):
    kerberos(dovecot, "imap")
    library, = glob.glob("/usr/lib/*-linux-gnu*/libgssapi_krb5.so.2")
    haul.prefix = ["unshare", "--mount", "sh", "-c", SHOW, "sh", "/dev/null",
                   library, "--"]
    r = haul.fetch(status=CONFIG)
    assert "install libgssapi-krb5-2" in r.text


# ---- the daemon ----

def of_kerberos(pid):
    return [p for p, name in names_of(family(pid)).items()
            if name.startswith(ROLE)]


def test_it_logs_in_again_after_a_cut(dovecot, kerberos, haul, daemon):
    a = kerberos(dovecot, "imap")
    a.box.add(MAIL[0])
    with daemon() as d:
        d.wait_state("a", "watching")
        until(lambda: not of_kerberos(d.pid()), 10, "its end")
        d.kill_role("engine")
        d.wait_state("a", "watching")
        a.box.add(MAIL[1])
        d.wait_mail(count=2)
        until(lambda: not of_kerberos(d.pid()), 10, "its end")
        assert not d.logged("Kerberos")
    check(a.maildir, MAIL[:2])
    assert set(logged_in(dovecot, a.user)) == {"GSSAPI"}


def test_nobody_is_left_when_the_engine_dies(
        realm, dovecot, kerberos, haul, daemon):
    kerberos(dovecot, "imap")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        haul.env["KRB5_CONFIG"] = realm.at_port(
            "silent.conf", silent.getsockname()[1])
        with daemon() as d:
            waiting = until(lambda: of_kerberos(d.pid()), 20, "a login")
            with silent.accept()[0]:
                wall = rights(waiting[0])
                assert wall["Seccomp"] == ["2"]
                assert wall["NoNewPrivs"] == ["1"]
                d.kill_role("engine")
                until(lambda: not set(waiting) & set(of_kerberos(d.pid())), 8,
                      "its end")
