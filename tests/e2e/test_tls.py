# SPDX-License-Identifier: ISC
"""Certificates that are wrong in one way each; nobody hears a password."""

import os
import subprocess

import pytest

import corpus
import dovecot
import model
from haul import NOPERM, check

LEAF = "basicConstraints=CA:FALSE\n"


def issue(d, name, days="30", subject="/CN=localhost",
          extensions=LEAF + "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                            "extendedKeyUsage=serverAuth\n", ca="ca"):
    """d/name/server.pem and .key, signed by d/<ca>.pem, and the ca.pem"""
    out = os.path.join(d, name)
    os.makedirs(out)
    with open(os.path.join(out, "ext"), "w") as f:
        f.write(extensions)
    dovecot.openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-subj", subject, "-keyout", "server.key", "-out",
        "server.csr", cwd=out)
    sign = ["-CA", "../%s.pem" % ca, "-CAkey", "../%s.key" % ca,
            "-CAcreateserial"] if ca else ["-signkey", "server.key"]
    dovecot.openssl("x509", "-req", "-in", "server.csr", *sign, "-days", days,
                    "-extfile", "ext", "-out", "server.pem", cwd=out)
    os.link(os.path.join(d, "ca.pem"), os.path.join(out, "ca.pem"))
    return out


WRONG = {
    "expired": dict(days="-1"),
    "other-name": dict(extensions=LEAF + "subjectAltName=DNS:example.org\n"),
    "name-in-cn-only": dict(
        extensions=LEAF + "subjectAltName=DNS:example.org\n",
        subject="/CN=localhost"),
    "wildcard-too-wide": dict(extensions=LEAF + "subjectAltName=DNS:*\n"),
    "wildcard-in-part": dict(
        extensions=LEAF + "subjectAltName=DNS:local*\n"),
    "address-as-name": dict(
        extensions=LEAF + "subjectAltName=DNS:127.0.0.1\n",
        host="127.0.0.1"),
    "for-clients": dict(
        extensions=LEAF + "subjectAltName=DNS:localhost\n"
                          "extendedKeyUsage=clientAuth\n"),
    "self-signed": dict(ca=None),
    "signed-by-a-leaf": dict(ca="leaf"),
}


@pytest.fixture
def authority(tmp_path):
    d = str(tmp_path / "tls")
    dovecot.make_certs(d)
    return d


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("name", WRONG)
def test_refuses_a_certificate(haul, fake, authority, name, tls):
    how = dict(WRONG[name])
    host = how.pop("host", "localhost")
    if how.get("ca") == "leaf":
        leaf = issue(authority, "issuer")
        for kind in ("pem", "key"):
            os.link(os.path.join(leaf, "server." + kind),
                    os.path.join(authority, "leaf." + kind))
    try:
        d = issue(authority, "server", **how)
    except subprocess.CalledProcessError as e:
        pytest.skip("this openssl cannot make it: %r" % e.stderr)
    if name == "signed-by-a-leaf":
        with open(os.path.join(d, "server.pem"), "a") as f:
            f.write(open(os.path.join(authority, "leaf.pem")).read())
    f = fake("imap", certs=d, tls=tls, host=host)
    f.box.add(corpus.message(1))
    r = haul.fetch(status=NOPERM)
    assert "certificate" in r.text.lower()
    assert not model.secrets_in(f.server.heard())
    assert f.maildir.messages() == []


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_takes_a_good_one(haul, fake, authority, protocol, tls):
    f = fake(protocol, certs=issue(authority, "server"), tls=tls,
             host="localhost")
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_a_wildcard_for_one_label(haul, fake, authority):
    d = issue(authority, "server", extensions=LEAF +
              "subjectAltName=DNS:*.example.org\n")
    f = fake("imap", certs=d, tls="implicit", tls_name="mail.example.org")
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    haul.change(tls_name="a.mail.example.org")
    haul.fetch(status=NOPERM)


def test_an_authority_file_that_is_missing(haul, fake, authority):
    f = fake("imap", certs=issue(authority, "server"), tls="implicit",
             host="localhost", tls_ca_file="/no/such/ca.pem")
    r = haul.fetch(status=None)
    assert r.status != 0
    assert "/no/such/ca.pem" in r.text
    assert not model.secrets_in(f.server.heard())
