# SPDX-License-Identifier: ISC
"""Servers that are refused, each for one reason, and nobody hears a password;
pins, lists of what was revoked, OCSP, certificates of our own; what there is
to warn of; sessions that are resumed. See test_tls.py for more that is wrong
with a certificate."""

import re
import ssl
import subprocess
import types

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import corpus
import model
from authority import Identity, directory, put
from haul import CONFIG, NOPERM, TEMPFAIL, check, until


@pytest.fixture(scope="session")
def pki():
    p = types.SimpleNamespace()
    p.root = Identity("Test CA", ca=True, days=(-1, 90), org="Test Authority")
    p.other = Identity("Another CA", ca=True, org="Another Authority")
    p.between = Identity("Between", p.root, ca=True)
    p.stale = Identity("Stale", p.root, ca=True, days=(-9, -2))
    p.good = Identity("good", p.root)
    p.below = Identity("below", p.between)
    p.alone = Identity("alone", sans=("elsewhere.example",))
    return p


def crl(tmp_path, octets):
    return {"tls_crl_file": put(tmp_path / "crl.pem", octets)}


# Each: who shows what (and what is above it), options, words
REFUSED = {
    "not-yet-valid": lambda p, d: (
        [Identity("x", p.root, days=(2, 9))], {}, "it is not valid before"),
    "nobody-between": lambda p, d: (
        [p.below], {}, "its issuer is not trusted"),
    "expired-between": lambda p, d: (
        [Identity("x", p.stale), p.stale], {},
        "a certificate above it expired on"),
    "another-authority": lambda p, d: (
        [Identity("x", p.other)], {},
        "(issuer Another CA, valid until"),
    "no-purpose": lambda p, d: (
        [Identity("x", p.root, eku=ExtendedKeyUsageOID.CODE_SIGNING)], {},
        "purpose"),
    "nul-in-name": lambda p, d: (
        [Identity("x", p.root, sans=("localhost\0.evil.example",))], {},
        "certificate for localhost\\x00.evil.example"),
    "wildcard-top": lambda p, d: (
        [Identity("x", p.root, sans=("*.com",))], {"tls_name": "a.com"},
        "it does not name a.com"),
    "wildcard-part": lambda p, d: (
        [Identity("x", p.root, sans=("f*.example.org",))],
        {"tls_name": "foo.example.org"}, "it does not name foo.example.org"),
    "wildcard-two-labels": lambda p, d: (
        [Identity("x", p.root, sans=("*.example.org",))],
        {"tls_name": "a.b.example.org"}, "it does not name a.b.example.org"),
    "another-address": lambda p, d: (
        [Identity("x", p.root, sans=("127.0.0.2", "localhost"))], {},
        "it does not name 127.0.0.1"),
    "revoked": lambda p, d: (
        [p.good], crl(d, p.root.crl(p.good)), "it was revoked, says"),
    "revoked-between": lambda p, d: (
        [p.below, p.between],
        crl(d, p.root.crl(p.between) + p.between.crl()),
        "a certificate above it was revoked"),
    "crl-expired": lambda p, d: (
        [p.good], crl(d, p.root.crl(days=(-9, -2))),
        "the CRL of its issuer expired on"),
    "crl-of-another": lambda p, d: (
        [p.good], crl(d, p.other.crl()), "tls-crl-file has no CRL"),
    "no-ocsp": lambda p, d: (
        [p.good], {"tls_ocsp": "require"}, "without an OCSP response"),
    "another-pin": lambda p, d: (
        [p.good], {"tls_pin": [p.below.pin()], "tls_verify": "pin"},
        "the server's key is %s: if that is right" % p.good.pin()),
    "another-pin-beside": lambda p, d: (
        [p.good], {"tls_pin": [p.below.pin()]},
        "the server's key is %s: if that is right" % p.good.pin()),
    "pin-without-chain": lambda p, d: (
        [p.alone], {"tls_pin": [p.alone.pin()], "tls_verify": "both"},
        "it is self-signed"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_is_refused(haul, fake, pki, tmp_path, why):
    chain, options, words = REFUSED[why](pki, tmp_path)
    d = directory(tmp_path / "tls", pki.root, *chain)
    f = fake("imap", certs=d, tls="implicit", **options)
    r = haul.fetch(status=NOPERM)
    assert words in r.text
    assert f.server.heard() == b""


def test_a_version_that_is_too_old(haul, fake, certs):
    f = fake("imap", tls="implicit", tls_min="1.3")
    f.server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    r = haul.fetch(status=NOPERM)
    assert "the server does not offer TLS 1.3 (tls-min)" in r.text
    assert f.server.heard() == b""


GOOD = {
    "pin": lambda p, d: (
        [p.alone], {"tls_pin": [p.alone.pin()], "tls_verify": "pin",
                    "tls_ca_file": None}),
    "one-of-two-pins": lambda p, d: (
        [p.good], {"tls_pin": [p.below.pin(), p.good.pin()]}),
    "crl": lambda p, d: (
        [p.below, p.between], crl(d, p.between.crl(p.good))),
    "directory": lambda p, d: (
        [p.good], {"tls_ca_file": None, "tls_ca_dir": str(d / "tls")}),
    "ciphers": lambda p, d: (
        [p.good], {"tls_ciphers": "ECDHE+AESGCM", "tls_min": "1.2"}),
}


@pytest.mark.parametrize("what", GOOD)
def test_is_taken(haul, fake, pki, tmp_path, what):
    chain, options = GOOD[what](pki, tmp_path)
    d = directory(tmp_path / "tls", pki.root, *chain)
    f = fake("imap", certs=d, tls="implicit", **options)
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())


# ---- OCSP: Python's ssl has no responses to give ----

STAPLED = {
    "revoked": (dict(revoked=True), "stapled", "it was revoked, says its"),
    "expired": (dict(days=(-9, -2)), "require",
                "its OCSP response is not usable"),
}


@pytest.mark.parametrize("how", STAPLED)
def test_an_ocsp_response(haul, pki, tmp_path, how):
    response, option, words = STAPLED[how]
    d = directory(tmp_path / "tls", pki.root, pki.good)
    put(tmp_path / "ocsp.der", pki.root.ocsp(pki.good, **response))
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
         d + "/server.pem", "-key", d + "/server.key", "-status_file",
         str(tmp_path / "ocsp.der"), "-naccept", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        port = None
        for line in server.stdout:
            m = re.match(rb"ACCEPT .*:(\d+)", line)
            if m:
                port = int(m.group(1))
                break
        haul.account(protocol="imap", host="127.0.0.1", port=port,
                     user=model.USER, password=model.PASSWORD, retries=0,
                     tls_ca_file=d + "/ca.pem", tls_ocsp=option)
        r = haul.fetch(status=NOPERM)
    finally:
        server.kill()
        heard = server.communicate()[0]
    assert words in r.text
    assert not model.secrets_in(heard)


# ---- who we are ----

def test_our_certificate_is_shown(haul, fake, pki, tmp_path):
    mine = Identity("alice", pki.between, eku=ExtendedKeyUsageOID.CLIENT_AUTH)
    d = directory(tmp_path / "tls", pki.root, pki.good)
    cert = put(tmp_path / "me.pem", mine.pem() + pki.between.pem())
    key = put(tmp_path / "me.key", mine.key_pem(), 0o600)
    seen = []

    def look(s, number):
        seen.append(s.p.sock.getpeercert())

    f = fake("imap", look, certs=d, tls="implicit", tls_cert=cert,
             tls_key=key)
    f.server.context.load_verify_locations(d + "/ca.pem")
    f.server.context.verify_mode = ssl.CERT_REQUIRED
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert dict(x[0] for x in seen[0]["subject"])["commonName"] == "alice"
    # and a server that wants one gets nobody in without
    haul.change(tls_cert=None, tls_key=None)
    assert haul.fetch(status=None).status != 0


UNUSABLE = {
    "another-key": (lambda p: p.below.key_pem(), 0o600,
                    "the key does not belong to the first certificate"),
    "encrypted": (lambda p: p.good.key_pem(b"open sesame"), 0o600,
                  "the key is encrypted: store it without a passphrase"),
    "no-key": (lambda p: p.good.pem(), 0o600, "there is no private key in it"),
    "others-may-read": (lambda p: p.good.key_pem(), 0o644,
                        "can be read by others"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_key_that_cannot_be_used(haul, fake, pki, tmp_path, what):
    make, mode, words = UNUSABLE[what]
    d = directory(tmp_path / "tls", pki.root, pki.good)
    key = put(tmp_path / "me.key", make(pki), mode)
    f = fake("imap", certs=d, tls="implicit", tls_key=key,
             tls_cert=put(tmp_path / "me.pem", pki.good.pem()))
    r = haul.fetch(status=CONFIG)
    assert words in r.text
    assert key in r.text
    assert f.server.connects == []


def test_ciphers_that_there_are_not(haul, fake, certs):
    f = fake("imap", tls="implicit", tls_ciphers="HIGH:ECDHE+AESGMC")
    for command in ("fetch", "check"):
        r = haul.run(command=command)
        assert r.status == CONFIG
        assert '"ECDHE+AESGMC" is no cipher of TLS 1.2' in r.text
    assert f.server.connects == []


# ---- what there is to warn of ----

def test_it_expires_soon(haul, fake, pki, tmp_path):
    soon = Identity("soon", pki.root, days=(-1, 10.5))
    d = directory(tmp_path / "tls", pki.root, soon)
    fake("imap", certs=d, tls="implicit")
    r = haul.fetch()
    assert re.search(r"a: warning: the certificate of 127.0.0.1 expires in "
                     r"10 days \(20..-..-..\)", r.text)
    assert "expires" not in haul.fetch().text  # today
    haul.change(tls_warn_before="0")
    assert "expires" not in haul.fetch().text


def test_another_authority_issued_it(haul, fake, pki, tmp_path):
    d = directory(tmp_path / "tls", pki.root, pki.good)
    put(tmp_path / "tls" / "ca.pem", pki.root.pem() + pki.other.pem())
    f = fake("imap", certs=d, tls="implicit")
    assert haul.fetch().text == ""
    again = directory(tmp_path / "again", pki.root, Identity("x", pki.root))
    f.server.context.load_cert_chain(
        again + "/server.pem", again + "/server.key")
    assert haul.fetch().text == ""
    other = directory(tmp_path / "other", pki.root, Identity("x", pki.other))
    f.server.context.load_cert_chain(
        other + "/server.pem", other + "/server.key")
    r = haul.fetch()
    assert "a: warning: the issuer of 127.0.0.1's certificate changed from " \
        "Test Authority to Another Authority" in r.text
    assert haul.fetch().text == ""


def test_a_daemon_warns_and_resumes(haul, fake, daemon, pki, tmp_path):
    soon = Identity("soon", pki.root, days=(-1, 10.5))
    d = directory(tmp_path / "tls", pki.root, soon)
    reused = []

    def look(s, number):
        reused.append(s.p.sock.session_reused)

    f = fake("pop3", look, certs=d, tls="implicit", interval="1h")
    f.box.add(corpus.message(1))
    with daemon() as run:
        run.wait_mail()
        # one that comes while it fetches is answered with that
        until(lambda: run.command("poll", "a") and len(reused) >= 3)
    assert reused[:3] == [False, True, True]
    assert len(run.logged(
        "the certificate of 127.0.0.1 expires in 10 days")) == 1


def test_a_reload_reads_what_was_revoked_since(
        haul, fake, daemon, pki, tmp_path):
    """Also where the configuration says what it said, and a session could be
    resumed."""
    d = directory(tmp_path / "tls", pki.root, pki.good)
    f = fake("imap", certs=d, tls="implicit", **crl(
        tmp_path, pki.root.crl()))
    with daemon() as run:
        f.idler()
        assert "0 changed" in run.command("reload").out
        crl(tmp_path, pki.root.crl(pki.good))
        assert "1 changed" in run.command("reload").out
        run.wait_log("certificate for .* is refused: it was revoked")
        assert len(f.server.logins) == 1
        crl(tmp_path, b"")
        run.command("reload")
        run.wait_log("a: warning: tls-crl-file .* is empty: what it was stays")
        crl(tmp_path, pki.root.crl())
        assert "1 changed" in run.command("reload").out
        f.idler()


def test_a_daemon_says_what_it_cannot_use(haul, fake, daemon, pki, tmp_path):
    d = directory(tmp_path / "tls", pki.root, pki.good)
    f = fake("imap", certs=d, tls="implicit", **crl(
        tmp_path, pki.root.crl()[:-60]))
    with daemon() as run:
        s = run.wait_state("a", "stopped")
        assert "tls-crl-file" in s["error"]["text"], s
        run.wait_log("a: error: tls-crl-file")
        r = run.command("poll", "a", status=TEMPFAIL)
        assert "tls-crl-file" in r.text
        crl(tmp_path, pki.root.crl())
        run.command("reload")
        f.idler()
