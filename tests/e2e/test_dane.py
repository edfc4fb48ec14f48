# SPDX-License-Identifier: ISC
"""tls-verify = dane: a certificate is what the signed DNS says, or no password
is sent. The name server is on the host that mailhaul runs on, or it is not."""

import hashlib
import os
import shutil
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding, PublicFormat)

import corpus
import dovecot
from haul import NOPERM, OK, UNAVAILABLE, check
from nameserver import Island, Nameserver

HOST = "mail.example.org"


@pytest.fixture(scope="module")
def named():
    """A certificate for HOST; the one of its issuer is sent behind it, as a
    server must whose record is of usage 2."""
    d = tempfile.mkdtemp(prefix="mailhaul-dane-")
    dovecot.make_certs(d, "DNS:" + HOST)
    with open(d + "/ca.pem") as ca, open(d + "/server.pem", "a") as f:
        f.write(ca.read())
    yield d
    shutil.rmtree(d)


def sha256(what):
    return hashlib.sha256(what).digest()


def digests(certs):
    """Of the certificate, of its key, and of its issuer's certificate."""
    def load(name):
        with open(os.path.join(certs, name), "rb") as f:
            return x509.load_pem_x509_certificate(f.read())
    leaf, ca = load("server.pem"), load("ca.pem")
    key = leaf.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return (sha256(leaf.public_bytes(Encoding.DER)), sha256(key),
            sha256(ca.public_bytes(Encoding.DER)))


@pytest.fixture
def world(net, haul, fake, certs, named):
    """make(records, ...): an account whose server has these records."""
    made = []

    def make(records, local=True, ad=True, rcode=None, ours=named,
             tls="implicit", **options):
        where = Island(server="127.0.0.1" if local else net.server)
        where.use(net.inside)
        made.append(where.forget)
        dns = Nameserver(where if local else None, where.server)
        dns.__enter__()
        made.append(lambda: dns.__exit__(None, None, None))
        dns.ad = ad
        f = fake("imap", address=net.server, certs=ours, tls=tls, host=HOST,
                 tls_ca_file=None, tls_verify="dane", **options)
        dns.add(HOST, "A", net.server)
        dns.add("_%d._tcp.%s" % (f.server.port, HOST), "TLSA", *records)
        if rcode is not None:  # for that question alone
            dns.rcode = {"TLSA": rcode}
        f.box.add(corpus.message(1))
        haul.prefix = where.prefix
        f.dns = dns
        return f

    yield make
    for end in reversed(made):
        end()


@pytest.mark.parametrize("usage, selector, which", [
    (3, 1, 1), (3, 0, 0), (2, 0, 2)])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_record_that_matches(world, haul, named, usage, selector, which,
                               tls):
    f = world([(3, 1, 1, bytes(32)),
               (usage, selector, 1, digests(named)[which])], tls=tls)
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert len(f.dns.of("TLSA")) == 1


def test_the_key_is_enough(world, haul, certs):
    """RFC 7671 5.1: neither the name nor an authority matters."""
    f = world([(3, 1, 1, digests(certs)[1])], ours=certs)
    haul.fetch()
    check(f.maildir, f.box.octets())


REFUSED = {
    "wrong": dict(records=[(3, 1, 1, bytes(32))], words="TLSA"),
    "none": dict(records=[], words="has no TLSA record"),
    "unusable": dict(records=[(1, 1, 1, bytes(32)), (3, 1, 1, b"short")],
                     words="can be used"),
    "unsigned": dict(ad=False, words="is not validated"),
    "none unsigned": dict(records=[], ad=False, words="is not validated"),
    "another machine's word": dict(local=False, words="is not validated"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_no_password_without_a_proof(world, haul, named, what):
    how = dict(REFUSED[what])
    words = how.pop("words")
    how.setdefault("records", [(3, 1, 1, digests(named)[1])])
    f = world(**how)
    r = haul.fetch(status=NOPERM)
    assert words in r.text, r
    assert f.asked() == []


def test_the_name_matters_to_an_authority(world, haul, certs, tmp_path):
    """A record of usage 2 says who may certify, not whom."""
    other = str(tmp_path / "other")
    dovecot.make_certs(other, "DNS:other.example.org")
    with open(other + "/ca.pem") as ca, open(other + "/server.pem", "a") as s:
        s.write(ca.read())
    f = world([(2, 0, 1, digests(other)[2])], ours=other)
    r = haul.fetch(status=NOPERM)
    assert HOST in r.text
    assert f.asked() == []


def test_a_name_server_that_fails(world, haul):
    f = world([], rcode=2)
    r = haul.fetch(status=UNAVAILABLE)
    assert "_tcp." + HOST + ": it failed" in r.text, r
    assert f.asked() == []


def test_an_alias(world, haul, named):
    f = world([])
    name = "_%d._tcp.%s" % (f.server.port, HOST)
    f.dns.alias(name, "_dane.example.org", "TLSA",
                (3, 1, 1, digests(named)[1]))
    haul.fetch(status=OK)
    check(f.maildir, f.box.octets())
