# SPDX-License-Identifier: ISC
"""A name server of our own, and an island to have it on: a network namespace
with nothing but loopback, where it is the only one that resolv.conf knows.

    with Island() as i, Nameserver(i) as dns:
        dns.add("example.org", "A", "127.0.0.1")
        haul.prefix = i.prefix

What is not there does not exist (NXDOMAIN). dns.asked are the names and types
that were asked for. dns.ad: it says that it has checked signatures; dns.rcode:
it answers nothing but that, to all or by the type in a dict; dns.raw: octets
that are sent instead."""

import contextlib
import ctypes
import os
import select
import socket
import struct
import tempfile
import threading

import pytest

import netns

TYPES = {"A": 1, "CNAME": 5, "MX": 15, "AAAA": 28, "SRV": 33, "TLSA": 52}
NAMES = {v: k for k, v in TYPES.items()}
LIBC = ctypes.CDLL(None, use_errno=True)


class Island:
    """with Island() as i: what is started with i.prefix is on it, and so is
    what is bound inside of "with i.visit():"."""

    number = 0

    def __init__(self, server="127.0.0.1"):
        reason = netns.why_not()
        if reason:
            pytest.skip(reason)
        Island.number += 1
        self.name = "mh%d-i%d" % (os.getpid(), Island.number)
        self.server = server

    def __enter__(self):
        netns.ip("netns", "add", self.name)
        self.use(self.name)
        netns.ip("-n", self.name, "link", "set", "lo", "up")
        return self

    def use(self, name):
        """Of a namespace that somebody else made."""
        self.name = name
        fd, self.resolv_conf = tempfile.mkstemp(prefix="mailhaul-resolv-")
        with os.fdopen(fd, "w") as f:
            f.write("nameserver %s\n" % self.server)
        os.chmod(self.resolv_conf, 0o644)
        return self

    @property
    def prefix(self):
        """ip(8) gives it mounts of its own: ours is seen by nobody else."""
        return ["ip", "netns", "exec", self.name, "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                self.resolv_conf]

    @contextlib.contextmanager
    def visit(self):
        """This thread is there meanwhile, and its sockets remain there."""
        with open("/proc/thread-self/ns/net") as home, \
                open("/run/netns/" + self.name) as there:
            assert LIBC.setns(there.fileno(), 0) == 0
            try:
                yield
            finally:
                assert LIBC.setns(home.fileno(), 0) == 0

    def forget(self):
        os.unlink(self.resolv_conf)

    def __exit__(self, *what):
        netns.ip("netns", "del", self.name)
        self.forget()


def name_octets(name):
    labels = [x.encode() for x in name.split(".") if x]
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def data_of(kind, value):
    """Numbers and a name for MX and SRV; octets for TLSA; or raw octets."""
    if isinstance(value, bytes):
        return value
    if kind in ("A", "AAAA"):
        family = socket.AF_INET if kind == "A" else socket.AF_INET6
        return socket.inet_pton(family, value)
    if kind == "CNAME":
        return name_octets(value)
    if kind == "TLSA":
        return bytes(value[:3]) + value[3]
    return struct.pack(">%dH" % (len(value) - 1), *value[:-1]) + \
        name_octets(value[-1])


def record(kind, data):
    return struct.pack(">HHIH", TYPES[kind], 1, 60, len(data)) + data


class Nameserver:
    def __init__(self, island=None, address="127.0.0.1"):
        self.zone, self.aliases = {}, {}
        self.asked = []
        self.ad, self.rcode, self.raw = True, None, None
        with island.visit() if island else contextlib.nullcontext():
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind((address, 53))
            self.tcp = socket.create_server((address, 53))
        self.end = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def add(self, name, kind, *values):
        self.zone.setdefault((name.lower(), kind), []).extend(
            data_of(kind, v) for v in values)

    def alias(self, name, target, kind, *values):
        """name is another name of target, and answers say both."""
        self.add(target, kind, *values)
        self.aliases[name.lower()] = target.lower()

    def clear(self):
        self.aliases.clear()
        self.zone.clear()
        self.asked.clear()

    def of(self, kind):
        return [n for n, k in self.asked if k == kind]

    def __enter__(self):
        self.thread.start()
        return self

    def serve(self):
        while True:
            ready = select.select([self.udp, self.tcp, self.end[0]], [], [])
            if self.end[0] in ready[0]:
                return
            if self.udp in ready[0]:
                m, peer = self.udp.recvfrom(4096)
                self.udp.sendto(self.answer(m, 1232), peer)
            if self.tcp in ready[0]:
                self.serve_stream()

    def serve_stream(self):
        with self.tcp.accept()[0] as s, contextlib.suppress(OSError):
            s.settimeout(5)
            n, = struct.unpack(">H", s.recv(2, socket.MSG_WAITALL))
            a = self.answer(s.recv(n, socket.MSG_WAITALL), 65535)
            s.sendall(struct.pack(">H", len(a)) + a)

    def records(self, name, kind):
        out, owner = [], b"\xc0\x0c"
        if name in self.aliases:
            name = self.aliases[name]
            out.append(owner + record("CNAME", name_octets(name)))
            owner = name_octets(name)
        return out + [owner + record(kind, v)
                      for v in self.zone.get((name, kind), [])]

    def answer(self, m, most):
        end = m.index(b"\0", 12) + 5
        name, at = [], 12
        while m[at]:
            name.append(m[at + 1:at + 1 + m[at]].decode("latin-1"))
            at += 1 + m[at]
        kind = NAMES.get(struct.unpack(">H", m[end - 4:end - 2])[0])
        name = ".".join(name).lower()
        self.asked.append((name, kind))
        if self.raw is not None:
            return m[:2] + self.raw
        rcode = self.rcode
        if isinstance(rcode, dict):
            rcode = rcode.get(kind)
        records = self.records(name, kind) if rcode is None else []
        if rcode is None:
            known = {n for n, _ in self.zone} | set(self.aliases)
            rcode = 0 if name in known else 3
        flags = 0x8180 | rcode | (0x20 if self.ad else 0)
        if end + sum(map(len, records)) > most:
            flags, records = flags | 0x200, []
        return m[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + \
            m[12:end] + b"".join(records)

    def __exit__(self, *what):
        os.close(self.end[1])
        self.thread.join()
        os.close(self.end[0])
        self.udp.close()
        self.tcp.close()
