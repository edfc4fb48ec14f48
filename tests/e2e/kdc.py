# SPDX-License-Identifier: ISC
"""A private Kerberos realm on loopback: a key distribution centre, a service
with its keytab, and users with tickets. Nothing of the system's is touched."""

import os
import shutil
import socket
import subprocess
import tempfile

import unpacked

REALM = "MAIL.TEST"

KRB5 = """
[libdefaults]
  default_realm = {realm}
  default_ccache_name = FILE:{dir}/%{{uid}}.cache
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  localhost = {realm}
[dbmodules]
  db_module_dir = {modules}
"""

KDC = """
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {dir}/principal
    key_stash_file = {dir}/stash
    acl_file = {dir}/acl
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }}
[logging]
  kdc = FILE:{dir}/kdc.log
"""


class Kdc:
    def __init__(self, services=("imap/localhost", "pop/localhost"),
                 users=("alice",)):
        self.dir = tempfile.mkdtemp(prefix="mailhaul-kdc-")
        self.log = os.path.join(self.dir, "kdc.log")
        self.keytab = os.path.join(self.dir, "service.keytab")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        words = dict(realm=REALM, port=self.port, dir=self.dir, modules=unpacked
                     .found(unpacked.ROOT, "usr/lib/*/krb5/plugins/kdb")[0])
        self.words = words
        self.conf = self.at_port("krb5.conf", self.port)
        profile = self.put("kdc.conf", KDC.format(**words))
        libs = unpacked.found(unpacked.ROOT, "usr/lib/*-linux-gnu*")
        self.env = dict(PATH="/usr/bin:/bin", KRB5_CONFIG=self.conf,
                        KRB5_KDC_PROFILE=profile,
                        LD_LIBRARY_PATH=":".join(libs))
        self.process = None
        self.run("sbin/kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for name in services:
            self.ask("addprinc -randkey " + name)
            self.ask("ktadd -k %s %s" % (self.keytab, name))
        for name in users:
            self.user(name)
        os.chmod(self.dir, 0o755)
        os.chmod(self.keytab, 0o644)

    def put(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def at_port(self, name, port):
        """A configuration whose key distribution centre is there."""
        return self.put(name, KRB5.format(**dict(self.words, port=port)))

    def user(self, name):
        self.ask("addprinc -randkey " + name)
        self.ask("ktadd -k %s %s" % (self.user_keytab(name), name))

    def user_keytab(self, name):
        return os.path.join(self.dir, name + ".keytab")

    def run(self, program, *args):
        path = unpacked.program(os.path.join(unpacked.ROOT, "usr", program))
        r = subprocess.run([path, *args], env=self.env, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=30, check=False)
        assert r.returncode == 0, (program, args, r.stdout, r.stderr)

    def ask(self, query):
        self.run("sbin/kadmin.local", "-r", REALM, "-q", query)

    def tickets(self, name, *options):
        """A cache with tickets of the user, and what finds it."""
        cache = os.path.join(self.dir, name + ".cache")
        self.run("bin/kinit", *options, "-c", cache, "-k", "-t", self.user_keytab(name),
                 "%s@%s" % (name, REALM))
        return dict(KRB5_CONFIG=self.conf, KRB5CCNAME="FILE:" + cache)

    def __enter__(self):
        path = os.path.join(unpacked.ROOT, "usr/sbin/krb5kdc")
        self.process = subprocess.Popen(
            [unpacked.program(path), "-n", "-r", REALM], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.wait()
        return self

    def wait(self):
        while True:
            assert self.process.poll() is None, self.process.stderr.read()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                # it says nothing when it listens
                try:
                    self.process.wait(0.02)
                except subprocess.TimeoutExpired:
                    pass

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.dir)
