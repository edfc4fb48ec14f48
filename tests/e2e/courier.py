# SPDX-License-Identifier: ISC
"""A private Courier (IMAP and POP3) on loopback: its own directory, ports and
certificates; its configuration is its environment. Works as root (mail then
belongs to an unprivileged number) and as anybody else.

Every user name logs in with the password PASSWORD and has a mailbox of its
own. Messages are put into its Maildirs as files, and the lines of those end
in LF: Courier adds the CR."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

import dovecot
import unpacked
from authdaemon import Authdaemon
from dovecot import MAIL_UID, free_ports, greets, make_certs
from haul import lf

CAPABILITY = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT " \
    "THREAD=REFERENCES SORT QUOTA AUTH=PLAIN"
LOGIN = unpacked.ROOT + "/usr/lib/courier/courier/"
IMAP = [LOGIN + "imaplogin", unpacked.ROOT + "/usr/bin/imapd"]
POP3 = [LOGIN + "courierpop3login", LOGIN + "courierpop3d"]
TCPD = unpacked.ROOT + "/usr/sbin/couriertcpd"
TLS = unpacked.ROOT + "/usr/bin/couriertls"


class Box(dovecot.Box):
    def add(self, *messages):
        super().add(*(lf(m) for m in messages))


class Courier:
    """With idle sessions can idle: they are told within a second."""

    def __init__(self, idle=True):
        self.idle = idle
        self.dir = tempfile.mkdtemp(prefix="mailhaul-courier-")
        self.root = os.getuid() == 0
        self.uid = MAIL_UID if self.root else os.getuid()
        self.gid = MAIL_UID if self.root else os.getgid()
        self.ca = os.path.join(self.dir, "tls", "ca.pem")
        self.procs = []
        self.auth = None
        self.users = 0

    own = dovecot.Dovecot.own

    def start(self):
        os.chmod(self.dir, 0o755)
        tls = os.path.join(self.dir, "tls")
        make_certs(tls)
        # one file for both, read by who it is that couriertls becomes
        with open(os.path.join(tls, "server.key"), "a") as f, \
                open(os.path.join(tls, "server.pem")) as cert:
            f.write(cert.read())
        os.chmod(os.path.join(tls, "server.key"), 0o644)
        os.mkdir(os.path.join(self.dir, "mail"), 0o755)
        open(os.path.join(self.dir, "log"), "w").close()
        self.own(os.path.join(self.dir, "mail"))
        self.own(os.path.join(self.dir, "log"))
        self.auth = Authdaemon(
            os.path.join(self.dir, "authdaemon"),
            os.path.join(self.dir, "mail"), self.uid, self.gid)
        for _ in range(5):  # a port may be taken between asking and using
            if self.try_start():
                return self
        raise RuntimeError("Courier does not start:\n" + self.log())

    def environ(self, **more):
        capability = CAPABILITY + (" IDLE" if self.idle else "")
        return unpacked.environ(
            self.dir,
            HOSTNAME="localhost",
            IMAP_CAPABILITY=capability, IMAP_CAPABILITY_TLS=capability,
            IMAP_IDLE_TIMEOUT="1", IMAP_USELOCKS="0", IMAP_KEYWORDS="1",
            POP3AUTH="PLAIN", POP3AUTH_TLS="PLAIN",
            IMAP_STARTTLS="YES", POP3_STARTTLS="YES",
            COURIERTLS=TLS, TLS_VERIFYPEER="NONE",
            TLS_CERTFILE=os.path.join(self.dir, "tls", "server.key"), **more)

    def try_start(self, ports=None):
        self.imap, self.imaps, self.pop3, self.pop3s = ports or free_ports(4)
        tls = [unpacked.program(TLS), "-server", "-tcpd"]
        self.listen(self.imap, *IMAP)
        self.listen(self.imaps, *tls, *IMAP, IMAP_TLS="1")
        self.listen(self.pop3, *POP3)
        self.listen(self.pop3s, *tls, *POP3, POP3_TLS="1")
        end = time.monotonic() + 10
        while time.monotonic() < end and \
                all(p.poll() is None for p in self.procs):
            if greets(self.imap) and greets(self.pop3):
                return True
            time.sleep(0.02)
        self.stop_processes()
        return False

    def listen(self, port, *command, **env):
        self.procs.append(subprocess.Popen(
            [unpacked.program(TCPD), "-address=127.0.0.1", "-maxprocs=1000",
             "-maxperip=1000", "-nodnslookup", "-noidentlookup", str(port),
             *command, "Maildir"],
            env=self.environ(**env), cwd=self.dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.dir, "stderr"), "a")))

    def log(self):
        text = ""
        for name in ("stderr", "log"):
            with contextlib.suppress(OSError):
                with open(os.path.join(self.dir, name)) as f:
                    text += f.read()
        return text

    def user(self, name=None):
        """A user nobody had before; returns his name."""
        self.users += 1
        return name or "user%d" % self.users

    def box(self, user, name="INBOX"):
        return Box(self, user, name)

    def port(self, protocol, tls):
        return getattr(self, protocol + ("s" if tls == "implicit" else ""))

    def down(self):
        """Sessions end, and connections are refused until up()."""
        self.stop_processes()

    def up(self):
        assert self.try_start([self.imap, self.imaps, self.pop3, self.pop3s])

    def stop_processes(self):
        for p in self.procs:
            p.terminate()
        for p in self.procs:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.procs = []

    def stop(self):
        self.stop_processes()
        if self.auth is not None:
            self.auth.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
