# SPDX-License-Identifier: ISC
"""A private Exim on loopback, with its own configuration, spool and port; the
system's is not touched. It delivers to Maildirs of its own, octet by octet,
and refuses some: recipients later@ and never@, senders of refused.example,
and messages with a header field X-Refuse. Works as root and as anybody
else."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import dovecot
from haul import Maildir

EXIM = "/usr/sbin/exim4"

CONF = """
exim_path = {exim}
exim_user = {user}
exim_group = {group}
never_users =
primary_hostname = exim.example.org
qualify_domain = example.org
domainlist local_domains = example.org
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
rfc1413_hosts =
rfc1413_query_timeout = 0s
dns_ipv4_lookup =
tls_advertise_hosts =
smtp_accept_max_per_connection = 10000
smtp_accept_queue_per_connection = 0
received_header_text =
keep_environment =
accept_8bitmime = true
return_path_remove = false
smtputf8_advertise_hosts = *
chunking_advertise_hosts = {chunking}
pipelining_advertise_hosts = *
deliver_drop_privilege = true
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
mail:
  deny senders = *@refused.example
  accept
rcpt:
  defer local_parts = later
        message = not today
  deny local_parts = never
       message = no such user
  accept domains = +local_domains
  deny message = relay not permitted
data:
  deny condition = ${{if def:h_X-Refuse:}}
       message = refused for its content
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {dir}/mail/${{lookup{{$local_part}}dsearch{{{dir}/mail}}}}
  maildir_format
  user = {user}
  group = {group}
  message_prefix =
  message_suffix =
  envelope_to_add = false
  return_path_add = {return_path}
  delivery_date_add = false
begin retry
* * F,1h,1m
begin rewrite
begin authenticators
"""


class Exim:
    def __init__(self, chunking=True, return_path=False):
        self.dir = tempfile.mkdtemp(prefix="mailhaul-exim-")
        self.chunking, self.return_path = chunking, return_path
        self.proc = None
        user = "Debian-exim" if os.getuid() == 0 else os.getuid()
        self.user = pwd.getpwnam(user) if os.getuid() == 0 \
            else pwd.getpwuid(user)

    def start(self):
        os.chmod(self.dir, 0o755)
        for sub in ("spool", "log", "mail"):
            d = os.path.join(self.dir, sub)
            os.mkdir(d, 0o700)
            os.chown(d, self.user.pw_uid, self.user.pw_gid)
        for _ in range(5):  # a port may be taken between asking and using
            if self.try_start():
                return self
        raise RuntimeError("Exim does not start:\n" + self.log())

    def try_start(self):
        self.port, = dovecot.free_ports(1)
        conf = os.path.join(self.dir, "exim.conf")
        with open(conf, "w") as f:
            f.write(CONF.format(
                exim=EXIM, dir=self.dir, port=self.port,
                user=self.user.pw_uid, group=self.user.pw_gid,
                chunking="*" if self.chunking else "",
                return_path="true" if self.return_path else "false"))
        self.proc = subprocess.Popen(
            [EXIM, "-C", conf, "-bdf"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.dir, "stderr"), "w"))
        end = time.monotonic() + 10
        while time.monotonic() < end and self.proc.poll() is None:
            if dovecot.greets(self.port):
                return True
            time.sleep(0.02)
        self.stop_process()
        return False

    def log(self):
        text = ""
        for name in ("stderr", "log/mainlog", "log/rejectlog",
                     "log/paniclog"):
            with contextlib.suppress(OSError):
                with open(os.path.join(self.dir, name)) as f:
                    text += f.read()
        return text

    def maildir(self, user):
        """Of the user of this name, who is known from now on."""
        d = os.path.join(self.dir, "mail", user)
        if not os.path.isdir(d):
            os.mkdir(d, 0o700)
            os.chown(d, self.user.pw_uid, self.user.pw_gid)
        return Maildir(d)

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
