#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""delivery.py MAILHAUL [RUNS [MESSAGES [mda|lmtp]]]: handing mail on. A
mailbox of a private Dovecot, fetched and given to a program that does nothing
(an MDA of /bin/true), and to Dovecot's LMTP, by mailhaul, fetchmail and
getmail6 in turn; to LMTP also by mailhaul over four connections ("parallel").
Prints medians, and how many times as long as mailhaul each takes. Needs root
(clients run as nobody), fetchmail, getmail6 and dovecot-lmtpd."""

import os
import pwd
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
sys.dont_write_bytecode = True

import dovecot  # noqa: E402

NOBODY = pwd.getpwnam("nobody")


def messages(n):
    rng = random.Random(1)
    for i in range(n):
        body = "".join(rng.choice("abcdefghij klmnopq\n") for _ in range(3800))
        yield ("From: Alice <alice@example.org>\r\nTo: bob@example.org\r\n"
               "Subject: message %d\r\nDate: Wed, 1 Jan 2025 00:00:00 +0000\r\n"
               "Message-ID: <%d@example.org>\r\n\r\n" % (i, i)
               ).encode() + body.encode().replace(b"\n", b"\r\n") + b"\r\n"


class Bench:
    def __init__(self, mailhaul, runs, n):
        self.mailhaul, self.runs, self.n = mailhaul, runs, n
        self.server = dovecot.Dovecot(lmtp_plugins="").start()
        self.source = self.server.user()
        self.server.box(self.source).add(*messages(n))
        self.work = tempfile.mkdtemp(prefix="mailhaul-bench-")
        os.chown(self.work, NOBODY.pw_uid, NOBODY.pw_gid)

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def file(self, d, name, text):
        p = os.path.join(d, name)
        with open(p, "w") as f:
            f.write(text)
        os.chmod(p, 0o600)
        os.chown(p, NOBODY.pw_uid, NOBODY.pw_gid)
        return p

    # ---- clients: a directory of their own, how, to whom -> argv ----

    def run_parallel(self, d, kind, to):
        """mailhaul, over four connections."""
        return self.run_mailhaul(d, kind, to, "delivery-parallel = 4")

    def run_mailhaul(self, d, kind, to, more=""):
        s = self.server
        if kind == "mda":
            out = 'mda = {"/bin/true"}'
        else:
            out = 'lmtp = "127.0.0.1:%d"\nrecipient = "%s"' % (s.lmtp, to)
        conf = self.file(d, "mailhaul.conf", """
state-dir = "%s/state"
account a {
    host = localhost
    port = %d
    tls-ca-file = "%s"
    user = "%s"
    password = "%s"
    %s
    %s
}
""" % (d, s.imaps, s.ca, self.source, dovecot.PASSWORD, out, more))
        return [self.mailhaul, "-c", conf, "fetch"]

    def run_fetchmail(self, d, kind, to):
        s = self.server
        if kind == "mda":
            out = 'mda "/bin/true"'
        else:
            out = 'smtphost "127.0.0.1/%d" lmtp smtpname "%s"' % (
                s.lmtp, to)
        rc = self.file(d, "rc", """
set no bouncemail
set no spambounce
poll localhost proto imap service %d user "%s" password "%s"
    ssl sslcertck sslcertfile "%s" keep fetchall %s
""" % (s.imaps, self.source, dovecot.PASSWORD, s.ca, out))
        return ["fetchmail", "-f", rc, "--nodetach", "--nosyslog", "-s"]

    def run_getmail(self, d, kind, to):
        s = self.server
        if kind == "mda":
            out = "type = MDA_external\npath = /bin/true"
        else:
            out = ("type = MDA_lmtp\nhost = 127.0.0.1\nport = %d\n"
                   "override = %s" % (s.lmtp, to))
        self.file(d, "rc", """
[retriever]
type = SimpleIMAPSSLRetriever
server = localhost
port = %d
username = %s
password = %s
ca_certs = %s
[destination]
%s
[options]
delete = false
read_all = true
verbose = 0
""" % (s.imaps, self.source, dovecot.PASSWORD, s.ca, out))
        return ["getmail", "--getmaildir", d, "--rcfile", "rc"]

    def once(self, client, kind):
        d = tempfile.mkdtemp(dir=self.work)
        os.chown(d, NOBODY.pw_uid, NOBODY.pw_gid)
        to = self.server.user()
        argv = getattr(self, "run_" + client)(d, kind, to)
        began = time.monotonic()
        r = subprocess.run(
            argv, user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[],
            env={"PATH": "/usr/bin:/bin:/usr/sbin", "HOME": d,
                 "FETCHMAILHOME": d, "USER": "nobody"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=d)
        took = time.monotonic() - began
        got = self.n
        if kind == "lmtp":
            got = len(self.server.box(to).messages())
        if r.returncode != 0 or got != self.n:
            print("%s %s: exit status %d, %d of %d messages\n%s" % (
                client, kind, r.returncode, got, self.n,
                r.stdout.decode(errors="replace")[-2000:]))
        shutil.rmtree(d, ignore_errors=True)
        return took

    def compare(self, kind):
        clients = ["mailhaul"] + ["parallel"] * (kind == "lmtp") + [
            c for c in ("fetchmail", "getmail") if shutil.which(c)]
        times = {c: [] for c in clients}
        for _ in range(self.runs):
            for c in clients:
                times[c].append(self.once(c, kind))
        median = {c: statistics.median(t) for c, t in times.items()}
        for c in clients:
            print("%-4s  %-9s  %7.2f s  %6.0f messages/s  %5.2f x mailhaul" % (
                kind, c, median[c], self.n / median[c],
                median[c] / median["mailhaul"]))
        sys.stdout.flush()


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    b = Bench(os.path.abspath(sys.argv[1]), runs, n)
    try:
        for kind in sys.argv[4:] or ("mda", "lmtp"):
            b.compare(kind)
    finally:
        b.stop()


main()
