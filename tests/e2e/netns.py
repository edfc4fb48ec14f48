# SPDX-License-Identifier: ISC
"""A host of its own for mailhaul, with a cable to ours that can be cut: a
network namespace, and between it and us a switch in another one.

    mailhaul's host                 the switch           ours
    net.client  ------------------  a bridge  ---------  net.server

All of it is by ip(8) alone. It needs root and CAP_NET_ADMIN; without them
tests that use it are skipped, and say so. CI runs them."""

import contextlib
import os
import subprocess

import pytest


def ip(*args):
    subprocess.run(["ip", *args], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def why_not():
    """None when there can be namespaces, else why there can be none."""
    if os.geteuid() != 0:
        return "network namespaces with a cable to ours need root"
    name = "mh-try-%d" % os.getpid()
    try:
        ip("netns", "add", name)
        try:
            ip("-n", name, "link", "add", "br0", "type", "bridge")
        finally:
            ip("netns", "del", name)
    except OSError as e:
        return "no ip(8) of iproute2: %s" % e
    except subprocess.CalledProcessError as e:
        return "no network namespaces here: %s" % e.stderr.decode().strip()
    return None


class Net:
    """with Net() as net: servers listen on net.server (Fake(address=...)),
    and what is started with net.prefix reaches them from net.client."""

    number = 0

    def __init__(self):
        reason = why_not()
        if reason:
            pytest.skip(reason)
        Net.number += 1
        n = os.getpid() * 61 + Net.number
        self.id = "mh%d-%d" % (os.getpid(), Net.number)
        self.ours = "mh%x" % (n & 0xffffffffff)
        # 198.18.0.0/15 is for tests of networks (RFC 2544)
        net = "198.%d.%d." % (18 + (n >> 13 & 1), n >> 5 & 255)
        self.server, self.client, self.next = [
            net + str((n & 31) * 8 + i) for i in (1, 2, 3)]
        self.inside, self.switch = self.id + "-in", self.id + "-sw"

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def build(self):
        ip("netns", "add", self.inside)
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self.switch, "link", "add", "to-in", "type", "veth",
           "peer", "name", "eth0", "netns", self.inside)
        ip("-n", self.switch, "link", "add", "to-us", "type", "veth",
           "peer", "name", self.ours, "netns", str(os.getpid()))
        for port in ("to-in", "to-us"):
            ip("-n", self.switch, "link", "set", port, "master", "br0")
            ip("-n", self.switch, "link", "set", port, "up")
        ip("-n", self.switch, "link", "set", "br0", "up")
        ip("addr", "add", self.server + "/29", "dev", self.ours)
        ip("link", "set", self.ours, "up")
        self.in_ip("link", "set", "lo", "up")
        self.in_ip("addr", "add", self.client + "/29", "dev", "eth0")
        self.in_ip("link", "set", "eth0", "up")
        self.route()

    def in_ip(self, *args):
        ip("-n", self.inside, *args)

    def route(self):
        self.in_ip("route", "replace", "default", "via", self.server)

    @property
    def prefix(self):
        """Haul.prefix, so that mailhaul is started in there."""
        return ["ip", "netns", "exec", self.inside]

    def down(self):
        """The interface is down: the kernel in there knows it, and says so."""
        self.in_ip("link", "set", "eth0", "down")

    def up(self):
        self.in_ip("link", "set", "eth0", "up")
        self.route()

    def black_hole(self):
        """Nothing passes any more, and nobody is told."""
        ip("-n", self.switch, "link", "set", "to-in", "nomaster")

    def restore(self):
        ip("-n", self.switch, "link", "set", "to-in", "master", "br0")

    def unplug(self):
        """The cable is out: the interface has no carrier."""
        ip("-n", self.switch, "link", "set", "to-in", "down")

    def plug(self):
        ip("-n", self.switch, "link", "set", "to-in", "up")

    def no_route(self):
        """The network is there, but no way to the server."""
        self.in_ip("route", "add", "unreachable", self.server + "/32")

    def a_route(self):
        self.in_ip("route", "del", "unreachable", self.server + "/32")

    def move(self):
        """Another address in there, as by a new DHCP lease: what came from
        the old one is lost without a word. Returns the new one."""
        self.client, self.next = self.next, self.client
        self.in_ip("addr", "del", self.next + "/29", "dev", "eth0")
        self.in_ip("addr", "add", self.client + "/29", "dev", "eth0")
        self.route()
        return self.client

    def close(self):
        for name in (self.inside, self.switch):
            with contextlib.suppress(subprocess.CalledProcessError, OSError):
                ip("netns", "del", name)
        # the veth goes with the switch, but not at once
        with contextlib.suppress(subprocess.CalledProcessError, OSError):
            ip("link", "del", self.ours)

    def __exit__(self, *what):
        self.close()
