# SPDX-License-Identifier: ISC
"""SCRAM with channel binding, by a server that computes the binding from its
own side of the TLS session: whoever stands between the two has another."""

import base64
import hashlib
import hmac
import os
import socket
import threading

import pytest
from OpenSSL import SSL

import haul as haul_module
from model import PASSWORD, USER

ROUNDS = 4096


class Server:
    """One session, up to the answer to the login."""

    def __init__(self, certs, tls, spoil=b""):
        self.spoil = spoil  # what its idea of the binding is changed by
        self.heard, self.verdict = [], None
        self.ctx = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.ctx.use_certificate_chain_file(os.path.join(certs, "server.pem"))
        self.ctx.use_privatekey_file(os.path.join(certs, "server.key"))
        self.ctx.set_max_proto_version(tls)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        s, _ = self.listener.accept()
        s.settimeout(20)
        s.setblocking(True)
        self.tls = SSL.Connection(self.ctx, s)
        self.tls.set_accept_state()
        try:
            self.tls.do_handshake()
            self.serve()
        except SSL.Error:
            pass
        finally:
            s.close()

    def say(self, text):
        self.tls.sendall(text.encode() + b"\r\n")

    def line(self):
        out = b""
        while not out.endswith(b"\r\n"):
            out += self.tls.recv(1)
        self.heard.append(out[:-2].decode())
        return self.heard[-1]

    def serve(self):
        self.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256 "
                 "AUTH=SCRAM-SHA-256-PLUS SASL-IR] ready")
        tag = ""
        while " AUTHENTICATE " not in self.heard[-1] if self.heard else True:
            tag = self.line().split(" ")[0]
            if "CAPABILITY" in self.heard[-1]:
                self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN "
                         "AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS SASL-IR")
                self.say(tag + " OK done")
        self.verdict = self.scram(self.heard[-1].split(" ")[3])
        self.say(tag + (" OK [CAPABILITY IMAP4rev1] in" if self.verdict else
                        " NO [AUTHENTICATIONFAILED] who is between us?"))
        self.say("* BYE that is all")

    def scram(self, first):
        """RFC 5802 5, of which RFC 9266 has the binding."""
        first = base64.b64decode(first).decode()
        gs2 = first[:first.index(",,") + 2]
        bare = first[len(gs2):]
        nonce = bare.partition("r=")[2] + "server"
        salt = b"salt and pepper"
        second = "r=%s,s=%s,i=%d" % (
            nonce, base64.b64encode(salt).decode(), ROUNDS)
        self.say("+ " + base64.b64encode(second.encode()).decode())
        last = base64.b64decode(self.line()).decode()
        without, _, proof = last.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac(
            "sha256", PASSWORD.encode(), salt, ROUNDS)
        client = digest(salted, b"Client Key")
        message = ",".join([bare, second, without]).encode()
        signature = digest(hashlib.sha256(client).digest(), message)
        wanted = bytes(a ^ b for a, b in zip(client, signature))
        binding = self.tls.export_keying_material(
            b"EXPORTER-Channel-Binding", 32) + self.spoil
        c = base64.b64encode(gs2.encode() + binding).decode()
        if gs2 != "p=tls-exporter,," or \
                base64.b64decode(proof) != wanted or \
                not without.startswith("c=%s," % c):
            return False
        v = digest(digest(salted, b"Server Key"), message)
        self.say("+ " + base64.b64encode(
            b"v=" + base64.b64encode(v)).decode())
        self.line()
        return True


def digest(key, data):
    return hmac.new(key, data, "sha256").digest()


def fetch(haul, certs, server):
    haul.account("a", host="127.0.0.1", port=server.port, user=USER,
                 password=PASSWORD, retries=0,
                 tls_ca_file=os.path.join(certs, "ca.pem"))
    r = haul.run()
    server.thread.join(20)
    assert "AUTHENTICATE SCRAM-SHA-256-PLUS" in " ".join(server.heard), r
    return r


@pytest.mark.parametrize("tls", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_both_sides_have_the_same_binding(haul, certs, tls):
    server = Server(certs, tls)
    r = fetch(haul, certs, server)
    assert server.verdict, r
    assert r.status == haul_module.UNAVAILABLE, r  # BYE behind the login


def test_another_binding_is_no_login(haul, certs):
    server = Server(certs, SSL.TLS1_3_VERSION, spoil=b"x")
    r = fetch(haul, certs, server)
    assert not server.verdict
    assert r.status == haul_module.NOPERM, r
    # and the password is not handed over by a weaker way
    assert len([x for x in server.heard if "AUTHENTICATE" in x]) == 1
