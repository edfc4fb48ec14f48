# SPDX-License-Identifier: ISC
"""What stands between mailhaul and its server: a proxy that speaks SOCKS5 or
CONNECT, knows names that nobody else knows, and misbehaves on demand; a name
server that writes down what it is asked; a look at the cable; and programs
for the option tunnel."""

import base64
import os
import select
import socket
import struct
import threading
import time

from home import SHOW

PYTHON = "/usr/bin/python3"
ETH_P_ALL = 3


class Gone(Exception):
    """The other side has hung up."""


class Proxy:
    """.asked has what it was to connect to, (host, port) as they were said;
    .logins has users and passwords. names: what it knows, to addresses.

    how: "" as it should be, "hang" says nothing, "hang-up" ends at the first
    word, "garbage", "pieces" an octet at a time, "early" the server's first
    words come with the answer. refuse: a reply of SOCKS or a status of
    HTTP."""

    def __init__(self, kind, names=None, user=None, password=None, how="",
                 refuse=None, address="127.0.0.1"):
        self.kind, self.names = kind, names or {}
        self.user, self.password = user, password
        self.how, self.refuse = how, refuse
        self.address = address
        self.asked, self.logins, self.connects = [], [], 0
        self.changed = threading.Condition()
        self.sockets, self.errors = set(), []
        self.listener = socket.create_server((address, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def url(self, user=None, password=None, host=None):
        who = "" if user is None else "%s%s@" % (
            user, "" if password is None else ":" + password)
        return "%s://%s%s:%d" % (
            self.kind, who, host or self.address, self.port)

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                self.connects += 1
                self.sockets.add(s)
                self.changed.notify_all()
            threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def wait_for(self, condition, timeout=20):
        with self.changed:
            assert self.changed.wait_for(condition, timeout)

    def one(self, s):
        try:
            if self.how == "hang":
                while s.recv(4096):
                    pass
            elif self.how == "hang-up":
                s.recv(1)
            elif self.how == "garbage":
                s.sendall(b"220 smtp.example.org ESMTP\r\n")
                while s.recv(4096):
                    pass
            elif self.kind == "socks5":
                self.socks(s)
            else:
                self.http(s)
        except (Gone, OSError):
            pass
        except Exception as e:  # a test wants to know
            self.errors.append(e)
        finally:
            self.close(s)

    def close(self, s):
        with self.changed:
            self.sockets.discard(s)
        # a thread of ours may be reading it
        for end in (lambda: s.shutdown(socket.SHUT_RDWR), s.close):
            try:
                end()
            except OSError:
                pass

    @staticmethod
    def octets(s, n):
        got = b""
        while len(got) < n:
            more = s.recv(n - len(got))
            if not more:
                raise Gone()
            got += more
        return got

    def say(self, s, data):
        if self.how != "pieces":
            s.sendall(data)
            return
        for i in range(len(data)):
            s.sendall(data[i:i + 1])
            time.sleep(0.001)

    # ---- SOCKS5 ----

    def socks(self, s):
        version, n = self.octets(s, 2)
        assert version == 5
        methods = self.octets(s, n)
        wanted = 2 if self.user else 0
        if wanted not in methods:
            self.say(s, b"\5\xff")
            raise Gone()
        self.say(s, bytes([5, wanted]))
        if wanted == 2 and not self.socks_login(s):
            self.say(s, b"\1\1")
            raise Gone()
        if wanted == 2:
            self.say(s, b"\1\0")
        version, command, _, kind = self.octets(s, 4)
        assert (version, command) == (5, 1)
        if kind == 3:
            host = self.octets(s, self.octets(s, 1)[0]).decode()
        else:
            host = socket.inet_ntop(
                socket.AF_INET if kind == 1 else socket.AF_INET6,
                self.octets(s, 4 if kind == 1 else 16))
        port, = struct.unpack(">H", self.octets(s, 2))
        out = self.connect(host, port)
        if out is None:
            self.say(s, bytes([5, self.refuse or 4, 0, 1]) + bytes(6))
            raise Gone()
        self.answer(s, out, b"\5\0\0\1" + bytes(6))

    def socks_login(self, s):
        assert self.octets(s, 1) == b"\1"
        user = self.octets(s, self.octets(s, 1)[0]).decode()
        password = self.octets(s, self.octets(s, 1)[0]).decode()
        self.logins.append((user, password))
        return (user, password) == (self.user, self.password)

    # ---- HTTP ----

    def http(self, s):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.octets(s, 1)
        lines = head.decode().split("\r\n")
        method, target, version = lines[0].split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        fields = dict(x.split(": ", 1) for x in lines[1:] if x)
        assert fields["Host"] == target
        if self.user and not self.http_login(
                fields.get("Proxy-Authorization", "")):
            self.say(s, b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                     b"Proxy-Authenticate: Basic realm=x\r\n\r\n")
            raise Gone()
        host, port = target.rsplit(":", 1)
        out = self.connect(host.strip("[]"), int(port))
        if out is None:
            self.say(s, b"HTTP/1.1 %d Not so\r\n\r\nno" % (
                self.refuse or 502))
            raise Gone()
        self.answer(s, out, b"HTTP/1.1 200 Connection established\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")

    def http_login(self, field):
        if not field.startswith("Basic "):
            return False
        user, password = base64.b64decode(field[6:]).decode().split(":", 1)
        self.logins.append((user, password))
        return (user, password) == (self.user, self.password)

    # ---- both ----

    def connect(self, host, port):
        self.asked.append((host, port))
        if self.refuse or (host, port) not in self.names:
            return None
        out = socket.create_connection(self.names[host, port], 10)
        with self.changed:
            self.sockets.add(out)
        return out

    def answer(self, s, out, word):
        if self.how == "early":
            word += out.recv(4096)
        self.say(s, word)
        try:
            self.relay(s, out)
        finally:
            self.close(out)

    @staticmethod
    def relay(a, b):
        to = {a: b, b: a}
        while to:
            for s in select.select(list(to), [], [])[0]:
                data = s.recv(65536)
                if data:
                    to[s].sendall(data)
                else:
                    to.pop(s).shutdown(socket.SHUT_WR)

    def cut(self):
        """All connections end."""
        with self.changed:
            all_of_them = list(self.sockets)
        for s in all_of_them:
            self.close(s)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]


class Names:
    """A name server. .asked has the names that it was asked for; it knows
    only those in names. .prefix(directory) is what to start mailhaul by, so
    that it asks this one."""

    def __init__(self, names=None, address="127.0.0.1"):
        self.names, self.asked = names or {}, []
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            if data == b"end":
                return
            name, at = [], 12
            while data[at]:
                name.append(data[at + 1:at + 1 + data[at]].decode().lower())
                at += 1 + data[at]
            name = ".".join(name)
            kind, = struct.unpack(">H", data[at + 1:at + 3])
            self.asked.append(name)
            self.socket.sendto(self.answer(data, at + 5, name, kind), peer)

    def answer(self, data, end, name, kind):
        known = self.names.get(name)
        n = 1 if known and kind == 1 else 0
        head = data[:2] + struct.pack(
            ">HHHHH", 0x8180 if known else 0x8183, 1, n, 0, 0)
        if not n:
            return head + data[12:end]
        return head + data[12:end] + b"\xc0\x0c" + struct.pack(
            ">HHIH", 1, 1, 60, 4) + socket.inet_aton(known)

    def prefix(self, directory):
        path = os.path.join(str(directory), "resolv.conf")
        with open(path, "w") as f:
            f.write("nameserver %s:%d\n" % (self.address, self.port))
        os.chmod(path, 0o644)
        return ["unshare", "--mount", "sh", "-c", SHOW, "sh", path,
                "/etc/resolv.conf", "--"]

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", (self.address, self.port))
        self.thread.join(10)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.stop()


class Cable:
    """The packets that come out of mailhaul's host: (protocol, address,
    port), while this is open."""

    def __init__(self, net):
        self.net = net
        self.socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.bind((net.ours, ETH_P_ALL))

    def seen(self):
        """Of TCP and UDP: kernels have more to say to their neighbours."""
        out = set()
        self.socket.setblocking(False)
        while True:
            try:
                data, address = self.socket.recvfrom(65536)
            except BlockingIOError:
                return out
            if address[2] == socket.PACKET_OUTGOING:
                continue
            if data[0] >> 4 == 4 and data[9] in (6, 17):
                head = (data[0] & 15) * 4
                out.add((data[9], socket.inet_ntoa(data[16:20]),
                         *struct.unpack(">H", data[head + 2:head + 4])))
            elif data[0] >> 4 == 6 and data[6] in (6, 17):
                out.add((data[6], socket.inet_ntop(
                    socket.AF_INET6, data[24:40]),
                    *struct.unpack(">H", data[42:44])))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.socket.close()


# Connects its standard input and output to a port. Notes that it began, with
# its number, in a file. With a fourth word it does not end when they do.
PIPE = """
import os, select, socket, sys, time
pids, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(pids, "a") as f:
    f.write("%d\\n" % os.getpid())
s = socket.create_connection((host, port))
to = {0: s.sendall, s.fileno(): lambda x: os.write(1, x)}
while True:
    for fd in select.select(list(to), [], [])[0]:
        data = os.read(fd, 65536)
        if not data and sys.argv[4:]:
            time.sleep(1000)
        if not data:
            sys.exit(0)
        to[fd](data)
"""


class Tunnel:
    """.argv is for the option tunnel; .pids() those that were started."""

    def __init__(self, directory, port, host="127.0.0.1", name="tunnel",
                 stays=False):
        self.path = os.path.join(str(directory), name + ".pids")
        program = os.path.join(str(directory), name + ".py")
        with open(program, "w") as f:
            f.write(PIPE)
        self.argv = [PYTHON, "-S", "-E", program, self.path, host, str(port)]
        self.argv += ["stays"] * stays

    def pids(self):
        try:
            with open(self.path) as f:
                return [int(x) for x in f.read().split()]
        except FileNotFoundError:
            return []

    def living(self):
        out = []
        for pid in self.pids():
            try:
                with open("/proc/%d/stat" % pid) as f:
                    if f.read().rsplit(")", 1)[1].split()[0] != "Z":
                        out.append(pid)
            except OSError:
                pass
        return out
