# SPDX-License-Identifier: ISC
"""A private Dovecot on loopback: its own directory, configuration, ports and
certificates. The system's Dovecot is not touched. Works as root (mail then
belongs to an unprivileged number) and as anybody else.

Every user name logs in with the password PASSWORD and has a mailbox of its
own, so tests share a server without seeing each other. Messages are put into
its Maildirs as files, byte for byte."""

import base64
import grp
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PASSWORD = "s3cret-Pa55"
MAIL_UID = 47110  # owner of the mail when we are root; needs no passwd entry

CONF = """
base_dir = {dir}/run
state_dir = {dir}/state
instance_name = mailhaul-{pid}
log_path = {dir}/dovecot.log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/tls/server.pem
ssl_key = <{dir}/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
{passdb}
userdb {{
  driver = passwd-file
  args = {dir}/unknown
  result_success = return-fail
}}
userdb {{
  driver = passwd-file
  args = {dir}/small
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 1000
maildir_stat_dirs = yes
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  {chroot}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  {chroot}
}}
service anvil {{
  client_limit = 4000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
  {chroot}
}}
service auth {{
  client_limit = 4000
}}
service stats {{
  client_limit = 4000
  {chroot}
}}
service imap {{
  service_count = 64
}}
service pop3 {{
  service_count = 64
}}
service lmtp {{
  unix_listener {dir}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
protocol lmtp {{
  mail_plugins = {lmtp_plugins}
}}
plugin {{
  quota = maildir:User quota
}}
quota_full_tempfail = yes
{rootless}
{more}
"""

PASSDB = """
passdb {{
  driver = static
  args = password={password}
}}
"""

ROOTLESS = """
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
"""


def openssl(*args, **kw):
    subprocess.run(
        ["openssl", *args], check=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kw)


def make_certs(d, names="DNS:localhost,IP:127.0.0.1,IP:::1"):
    """ca.pem, and server.pem/server.key for names, in the directory d."""
    os.makedirs(d, exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes"]
    openssl("req", "-x509", *key, "-days", "30", "-subj", "/CN=Test CA",
            "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", cwd=d)
    openssl("req", *key, "-subj", "/CN=localhost",
            "-keyout", "server.key", "-out", "server.csr", cwd=d)
    with open(os.path.join(d, "ext"), "w") as f:
        f.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\n"
                "extendedKeyUsage=serverAuth\n" % names)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext",
            "-out", "server.pem", cwd=d)


def free_ports(n):
    """n ports that nobody uses now."""
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def mutf7(name):
    """A mailbox name as RFC 3501 5.1.3 encodes it."""
    out, wide = "", ""

    def flush():
        nonlocal wide
        s = base64.b64encode(wide.encode("utf-16-be")).decode().rstrip("=")
        wide = ""
        return "&" + s.replace("/", ",") + "-" if s else ""

    for c in name:
        if " " <= c <= "~":
            out += flush() + ("&-" if c == "&" else c)
        else:
            wide += c
    return out + flush()


arrivals = itertools.count(1)


class Box:
    """One mailbox of a user: a Maildir that Dovecot serves."""

    def __init__(self, server, user, name="INBOX"):
        self.server, self.user, self.name = server, user, name
        self.home = os.path.join(server.dir, "mail", user)
        self.path = os.path.join(self.home, "Maildir")
        if name != "INBOX":
            self.path = os.path.join(
                self.path, "." + mutf7(name).replace("/", "."))
        for sub in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(self.path, sub), exist_ok=True)
        if name != "INBOX":
            open(os.path.join(self.path, "maildirfolder"), "w").close()
        server.own(self.home)

    def add(self, *messages):
        """Each message is bytes, stored as it is; served in this order."""
        for m in messages:
            n = next(arrivals)
            name = "%d.M%06dP%d.test" % (1700000000 + n, n, os.getpid())
            tmp = os.path.join(self.path, "tmp", name)
            with open(tmp, "wb") as f:
                f.write(m)
            self.server.own(tmp)
            os.rename(tmp, os.path.join(self.path, "new", name))

    def files(self):
        """By what stays of their names when they go from new to cur."""
        return {f.split(":")[0]: os.path.join(self.path, sub, f)
                for sub in ("new", "cur")
                for f in os.listdir(os.path.join(self.path, sub))}

    def messages(self):
        """What is on the server now, in order of arrival."""
        while True:
            files, out = self.files(), []
            try:
                for name in sorted(files):
                    with open(files[name], "rb") as h:
                        out.append(h.read())
                return out
            except FileNotFoundError:  # the server has just moved it
                pass

    def forget_uids(self):
        """The mailbox gets another UIDVALIDITY and new UIDs."""
        for f in os.listdir(self.path):
            if f.startswith("dovecot"):
                os.unlink(os.path.join(self.path, f))


class Dovecot:
    mechanisms = "plain login"
    passdb = PASSDB
    more = ""

    def __init__(self, lmtp_plugins="quota"):
        self.lmtp_plugins = lmtp_plugins
        self.dir = tempfile.mkdtemp(prefix="mailhaul-e2e-")
        os.chmod(self.dir, 0o755)
        self.root = os.getuid() == 0
        self.uid = MAIL_UID if self.root else os.getuid()
        self.gid = MAIL_UID if self.root else os.getgid()
        self.ca = os.path.join(self.dir, "tls", "ca.pem")
        self.lmtp_socket = os.path.join(self.dir, "lmtp")
        self.proc = None
        self.users = 0

    def own(self, path):
        if not self.root:
            return
        os.chown(path, self.uid, self.gid)
        for top, dirs, files in os.walk(path):
            for f in dirs + files:
                os.chown(os.path.join(top, f), self.uid, self.gid)

    def start(self):
        for sub in ("mail", "state"):
            os.makedirs(os.path.join(self.dir, sub))
        os.chmod(os.path.join(self.dir, "mail"), 0o755)
        self.own(os.path.join(self.dir, "mail"))
        make_certs(os.path.join(self.dir, "tls"))
        self.users_file("unknown", "unknown@example.org::::::")
        self.users_file("small", (
            "small@example.org::%d:%d::%s/mail/small@example.org::"
            "userdb_quota_rule=*:bytes=2000") % (
                self.uid, self.gid, self.dir))
        for _ in range(5):  # a port may be taken between asking and using
            self.configure()
            if self.up():
                return self
        raise RuntimeError("Dovecot does not start:\n" + self.log())

    def users_file(self, name, line):
        with open(os.path.join(self.dir, name), "w") as f:
            f.write(line + "\n")

    def configure(self):
        self.imap, self.imaps, self.pop3, self.pop3s, self.lmtp = \
            free_ports(5)
        rootless = "" if self.root else ROOTLESS.format(
            user=pwd.getpwuid(os.getuid()).pw_name,
            group=grp.getgrgid(os.getgid()).gr_name)
        self.conf = os.path.join(self.dir, "dovecot.conf")
        with open(self.conf, "w") as f:
            f.write(CONF.format(
                lmtp_plugins=self.lmtp_plugins, dir=self.dir,
                pid=os.getpid(), mechanisms=self.mechanisms,
                passdb=self.passdb.format(password=PASSWORD, dir=self.dir),
                more=self.more.format(dir=self.dir),
                uid=self.uid, gid=self.gid, imap=self.imap, imaps=self.imaps,
                pop3=self.pop3, pop3s=self.pop3s, lmtp=self.lmtp,
                rootless=rootless,
                chroot="" if self.root else "chroot ="))

    def up(self):
        """Started, also again after stop_process(): does it greet?"""
        with open(os.path.join(self.dir, "stderr"), "a") as f:
            self.proc = subprocess.Popen(
                ["/usr/sbin/dovecot", "-F", "-c", self.conf],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=f)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.proc.poll() is None:
            if all(greets(p) for p in (self.imap, self.pop3, self.lmtp)):
                return True
            time.sleep(0.02)
        self.stop_process()
        return False

    def log(self):
        text = ""
        for name in ("stderr", "dovecot.log"):
            try:
                with open(os.path.join(self.dir, name)) as f:
                    text += f.read()
            except OSError:
                pass
        return text

    def user(self, name=None):
        """A user nobody had before; returns his name."""
        self.users += 1
        return name or "user%d" % self.users

    def box(self, user, name="INBOX"):
        return Box(self, user, name)

    def port(self, protocol, tls):
        return getattr(self, protocol + ("s" if tls == "implicit" else ""))

    def stop_process(self):
        if self.proc is not None and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.proc = None

    def stop(self):
        self.stop_process()
        shutil.rmtree(self.dir, ignore_errors=True)


def greets(port):
    """Does a server speak on this port?"""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.settimeout(5)
            return len(s.recv(1)) == 1
    except OSError:
        return False
