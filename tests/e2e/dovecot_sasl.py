# SPDX-License-Identifier: ISC
"""A Dovecot that offers every mechanism it has: shared secrets, certificates,
tokens that it asks a token server about, and Kerberos."""

import base64
import http.server
import json
import os
import threading
import urllib.parse

import dovecot

# quotes and 8-bit among them; Dovecot takes no line of LOGIN that is longer
# than 1,024 octets
ODD_PASSWORD = 'p"\\{5}%u \u00e4\u20ac' * 20
LONG_PASSWORD = (ODD_PASSWORD * 10)[:1000]

PASSDB = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = external gssapi
  args = nopassword=y
}}
passdb {{
  driver = passwd-file
  args = {dir}/odd
  result_failure = continue
}}
passdb {{
  driver = static
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = password={password}
}}
"""

MORE = """
ssl_ca = <{dir}/tls/ca.pem
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
auth_gssapi_hostname = localhost
auth_username_format = %%Ln
%s
"""

# without the realm, it finds that a user is not himself
KERBEROS = """
auth_krb5_keytab = %s
import_environment = TZ KRB5_CONFIG=%s
"""

OAUTH2 = """
introspection_mode = post
introspection_url = http://127.0.0.1:%d/introspect
active_attribute = active
active_value = true
username_attribute = username
force_introspection = yes
scope = mail
"""


class Introspection(http.server.ThreadingHTTPServer):
    """RFC 7662: which tokens are good, and whose they are."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Asked)
        self.tokens = {}  # token: user
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Asked(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        n = int(self.headers.get("Content-Length", 0))
        form = urllib.parse.parse_qs(self.rfile.read(n).decode())
        user = self.server.tokens.get(form.get("token", [""])[0])
        body = json.dumps({"active": False} if user is None else {
            "active": True, "username": user, "scope": "mail"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Dovecot(dovecot.Dovecot):
    mechanisms = ("plain login cram-md5 scram-sha-1 scram-sha-256 external "
                  "xoauth2 oauthbearer gssapi")
    passdb = PASSDB

    def __init__(self, keytab=None, krb5_config=None):
        super().__init__()
        self.tokens = Introspection()
        kerberos = "" if keytab is None else KERBEROS % (keytab, krb5_config)
        self.more = MORE % kerberos
        with open(os.path.join(self.dir, "oauth2.conf"), "w") as f:
            f.write(OAUTH2 % self.tokens.server_address[1])
        # who has a password of any octets
        self.users_file("odd", "\n".join(
            "%s:{PLAIN.b64}%s" % (u, base64.b64encode(p.encode()).decode())
            for u, p in (("odd", ODD_PASSWORD), ("long", LONG_PASSWORD))))

    def certificate(self, user):
        """Paths of a certificate for user and of its key."""
        d = os.path.join(self.dir, "tls")
        key, csr, cert = (os.path.join(d, user + x)
                          for x in (".key", ".csr", ".pem"))
        dovecot.openssl("req", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                        "/CN=" + user, "-keyout", key, "-out", csr)
        dovecot.openssl("x509", "-req", "-in", csr, "-CA", "ca.pem", "-CAkey",
                        "ca.key", "-CAcreateserial", "-days", "30", "-out",
                        cert, cwd=d)
        os.chmod(key, 0o600)
        return cert, key

    def stop(self):
        self.tokens.shutdown()
        self.tokens.server_close()
        super().stop()
