# SPDX-License-Identifier: ISC
"""A private Cyrus imapd on loopback: its own directory, configuration, ports
and certificates. Works as root (all of it then runs as nobody) and as anybody
else.

Every user name logs in with the password PASSWORD and has a mailbox of its
own. Messages are put into it by IMAP, as Cyrus alone knows its files; it
takes no NUL and no line that does not end in CRLF."""

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import unpacked
from authdaemon import Authdaemon
from dovecot import PASSWORD, free_ports, greets, make_certs, mutf7

BIN = unpacked.ROOT + "/usr/lib/cyrus/bin/"

IMAPD = """
configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
servername: localhost
allowplaintext: yes
autocreate_quota: 0
duplicatesuppression: 0
popminpoll: 0
search_engine: none
{sasl}
tls_server_cert: {dir}/tls/server.pem
tls_server_key: {dir}/tls/server.key
tls_session_timeout: 0
idlesocket: {dir}/idle
imapidlepoll: {poll}
"""

# any user, one password
PLAIN = """
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: authdaemond
sasl_authdaemond_path: {dir}/authdaemon
"""

# the users whom user() has made, whose passwords it knows
SHARED_SECRETS = """
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 GSSAPI
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
"""

CYRUS = """
START {{
  recover cmd="{bin}ctl_cyrusdb -C {conf} -r"
}}
DAEMON {{
  {idled}
}}
SERVICES {{
  imap cmd="{bin}imapd -C {conf}" listen="127.0.0.1:{imap}"
  imaps cmd="{bin}imapd -C {conf} -s" listen="127.0.0.1:{imaps}" prefork=1
  pop3 cmd="{bin}pop3d -C {conf}" listen="127.0.0.1:{pop3}"
  pop3s cmd="{bin}pop3d -C {conf} -s" listen="127.0.0.1:{pop3s}"
}}
"""

# How a session that idles learns of news: at once (what comes in the moment
# when it begins may be missed, so it looks after seconds, too); by looking each
# second; or there is no IDLE at all.
IDLE = {"idled": 10, "poll": 1, None: 0}


class Box:
    """One mailbox of a user."""

    def __init__(self, server, user, name="INBOX"):
        self.server, self.user = server, user
        self.name = '"%s"' % mutf7(name)
        with self.session() as s:
            if name != "INBOX":
                s.create(self.name)

    @contextlib.contextmanager
    def session(self):
        with imaplib.IMAP4("127.0.0.1", self.server.imap, timeout=30) as s:
            s.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.login(self.user, PASSWORD)
            yield s

    def add(self, *messages):
        """Each message is bytes, kept as it is. Sessions that idle are
        told."""
        with self.session() as s:
            for m in messages:
                status, text = s.append(self.name, None, None, m)
                assert status == "OK", text

    def messages(self):
        """What is on the server now, in order of arrival."""
        with self.session() as s:
            assert s.select(self.name, readonly=True)[0] == "OK"
            _, parts = s.fetch("1:*", "(BODY.PEEK[])")
            return [p[1] for p in parts if isinstance(p, tuple)]


class Cyrus:
    def __init__(self, idle="idled", sasl=PLAIN, **env):
        self.idle, self.sasl, self.env = idle, sasl, env
        self.dir = tempfile.mkdtemp(prefix="mailhaul-cyrus-")
        self.owner = pwd.getpwnam("nobody") if os.getuid() == 0 \
            else pwd.getpwuid(os.getuid())
        self.ca = os.path.join(self.dir, "tls", "ca.pem")
        self.proc = self.auth = None
        self.users = 0

    def start(self):
        os.chmod(self.dir, 0o755)
        make_certs(os.path.join(self.dir, "tls"))
        for sub in ("conf", "conf/db", "conf/socket", "spool"):
            os.mkdir(os.path.join(self.dir, sub))
        if os.getuid() == 0:
            for top, _, files in os.walk(self.dir):
                for path in (top, *(os.path.join(top, f) for f in files)):
                    os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        self.auth = Authdaemon(
            os.path.join(self.dir, "authdaemon"), self.dir,
            self.owner.pw_uid, self.owner.pw_gid)
        for _ in range(5):  # a port may be taken between asking and using
            if self.try_start():
                return self
        raise RuntimeError("Cyrus does not start:\n" + self.log())

    def try_start(self, ports=None):
        self.imap, self.imaps, self.pop3, self.pop3s = ports or free_ports(4)
        master = unpacked.program(BIN + "master")
        conf = self.file("imapd.conf", IMAPD.format(
            dir=self.dir, poll=IDLE[self.idle],
            sasl=self.sasl.format(dir=self.dir)))
        idled = 'idled cmd="%sidled -C %s"' % (BIN, conf)
        cyrus = self.file("cyrus.conf", CYRUS.format(
            bin=BIN, conf=conf, imap=self.imap, imaps=self.imaps,
            pop3=self.pop3, pop3s=self.pop3s,
            idled=idled if self.idle == "idled" else ""))
        # it ends its process group when it ends
        self.proc = subprocess.Popen(
            [master, "-D", "-C", conf, "-M", cyrus,
             "-p", os.path.join(self.dir, "pid")],
            env=unpacked.environ(
                self.dir, CYRUS_USER=self.owner.pw_name, **self.env),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.dir, "stderr"), "w"),
            cwd=self.dir, start_new_session=True, **self.as_owner())
        end = time.monotonic() + 10
        while time.monotonic() < end and self.proc.poll() is None:
            if greets(self.imap) and greets(self.pop3):
                return True
            time.sleep(0.02)
        self.stop_process()
        return False

    def as_owner(self):
        if os.getuid() != 0:
            return {}
        return dict(user=self.owner.pw_uid, group=self.owner.pw_gid,
                    extra_groups=[])

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

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
        name = name or "user%d" % self.users
        if self.sasl == SHARED_SECRETS:
            self.know(name)
        return name

    def know(self, name):
        subprocess.run(
            [unpacked.program(unpacked.ROOT + "/usr/sbin/saslpasswd2"), "-p",
             "-c", "-f", os.path.join(self.dir, "sasldb2"), "-u", "localhost",
             name],
            input=PASSWORD.encode(), env=unpacked.environ(self.dir),
            check=True, **self.as_owner())

    def box(self, user, name="INBOX"):
        return Box(self, user, name)

    def port(self, protocol, tls):
        return getattr(self, protocol + ("s" if tls == "implicit" else ""))

    def down(self):
        """Sessions end, and connections are refused until up()."""
        self.stop_process()

    def up(self):
        assert self.try_start([self.imap, self.imaps, self.pop3, self.pop3s])

    def stop_process(self):
        if self.proc is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.proc.pid, signal.SIGTERM)
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.proc = None

    def stop(self):
        self.stop_process()
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
