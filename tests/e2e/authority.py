# SPDX-License-Identifier: ISC
"""Certificates, lists of what was revoked and OCSP responses, made in memory
and wrong in any way that is asked for."""

import base64
import datetime
import hashlib
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


def when(days):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now + datetime.timedelta(days=days)


def names(*parts):
    """"imap.example.org", or an address."""
    out = []
    for p in parts:
        try:
            out.append(x509.IPAddress(ipaddress.ip_address(p)))
        except ValueError:
            out.append(x509.DNSName(p))
    return x509.SubjectAlternativeName(out)


class Identity:
    """A key and its certificate. issuer None: it signs itself."""

    def __init__(self, cn, issuer=None, sans=("localhost", "127.0.0.1"),
                 days=(-1, 30), ca=False, eku=SERVER, org=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, cn)]
        if org:
            attributes.append(
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, org))
        subject = x509.Name(attributes)
        by = issuer or self
        b = x509.CertificateBuilder() \
            .subject_name(subject) \
            .issuer_name(issuer.cert.subject if issuer else subject) \
            .public_key(self.key.public_key()) \
            .serial_number(x509.random_serial_number()) \
            .not_valid_before(when(days[0])) \
            .not_valid_after(when(days[1])) \
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        if sans and not ca:
            b = b.add_extension(names(*sans), critical=False)
        if eku and not ca:
            b = b.add_extension(x509.ExtendedKeyUsage([eku]), critical=False)
        self.cert = b.sign(by.key, hashes.SHA256())

    def pem(self):
        return self.cert.public_bytes(PEM)

    def key_pem(self, passphrase=None):
        how = serialization.BestAvailableEncryption(passphrase) \
            if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, how)

    def pin(self):
        spki = self.key.public_key().public_bytes(
            DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        digest = hashlib.sha256(spki).digest()
        return "sha256:" + base64.b64encode(digest).decode()

    def crl(self, *revoked, days=(-2, 2)):
        b = x509.CertificateRevocationListBuilder() \
            .issuer_name(self.cert.subject) \
            .last_update(when(days[0])).next_update(when(days[1]))
        for r in revoked:
            b = b.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(r.cert.serial_number)
                .revocation_date(when(days[0])).build())
        return b.sign(self.key, hashes.SHA256()).public_bytes(PEM)

    def ocsp(self, about, revoked=False, days=(-2, 2)):
        status = ocsp.OCSPCertStatus
        return ocsp.OCSPResponseBuilder().add_response(
            cert=about.cert, issuer=self.cert, algorithm=hashes.SHA1(),
            cert_status=status.REVOKED if revoked else status.GOOD,
            this_update=when(days[0]), next_update=when(days[1]),
            revocation_time=when(days[0]) if revoked else None,
            revocation_reason=None) \
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.cert) \
            .sign(self.key, hashes.SHA256()).public_bytes(DER)


def put(path, octets, mode=0o644):
    fd = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as f:
        os.fchmod(fd, mode)
        f.write(octets)
    return str(path)


def directory(d, root, server, *above):
    """What model.Server takes: ca.pem, server.pem and server.key in d."""
    os.makedirs(d, exist_ok=True)
    put(os.path.join(d, "ca.pem"), root.pem())
    put(os.path.join(d, "server.pem"),
        b"".join(i.pem() for i in (server, *above)))
    put(os.path.join(d, "server.key"), server.key_pem(), 0o600)
    return str(d)
