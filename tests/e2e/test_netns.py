# SPDX-License-Identifier: ISC
"""A network that is cut: what the tests of a daemon lean on, and what a
single fetch makes of it."""

import re
import socket
import subprocess
import time

import pytest

import corpus
from clock import Clock
from haul import SLOW, UNAVAILABLE, check


def held_up(s):
    """Greets, and is then silent until the client has gone."""
    s.greet()
    while s.p.more():
        pass
    return True


@pytest.fixture
def account(net, fake):
    """An account whose server is at the other end of the cable."""
    def make(session=None, **options):
        f = fake("imap", session, address=net.server, **options)
        f.box.add(corpus.message(1))
        return f
    return make


def reaches(net, port):
    """"yes", or in words why not, within a second."""
    code = ("import socket; socket.create_connection(('%s', %d), 0.5);"
            "print('yes')" % (net.server, port))
    r = subprocess.run([*net.prefix, "/usr/bin/python3", "-c", code],
                       capture_output=True, text=True)
    return (r.stdout + r.stderr).strip().split("\n")[-1]


def test_each_way_of_cutting_is_what_it_says(net):
    with socket.create_server((net.server, 0)) as s:
        port = s.getsockname()[1]
        assert reaches(net, port) == "yes"
        net.black_hole()
        assert "timed out" in reaches(net, port)
        net.restore()
        assert reaches(net, port) == "yes"
        net.unplug()
        assert re.search("timed out|No route", reaches(net, port))
        net.plug()
        net.down()
        assert "Network is unreachable" in reaches(net, port)
        net.up()
        assert reaches(net, port) == "yes"
        net.no_route()
        assert "No route to host" in reaches(net, port)
        net.a_route()
        old = net.client
        assert net.move() != old
        assert reaches(net, port) == "yes"
        s.close()
        assert "refused" in reaches(net, port)


def test_mail_comes_through_the_cable(haul, account, net):
    f = account()
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert f.sessions[0].who


@pytest.mark.parametrize("how", ["black_hole", "unplug", "down", "move"])
def test_a_connection_that_was_cut_is_given_up(haul, account, net, how):
    """No reset tells of it, so the deadline of the command has to."""
    f = account(lambda s, n: held_up(s) if n == 0 else None,
                command_timeout="5m", retries=0)
    with Clock() as c:
        run = haul.start(env=c.env)
        f.server.wait_for(lambda: f.sessions and f.sessions[0].p.heard)
        getattr(net, how)()
        c.advance(301)
        r = haul.finish(run)
    assert r.status == UNAVAILABLE and r.seconds < 10 * SLOW, r
    {"black_hole": net.restore, "unplug": net.plug, "down": net.up,
     "move": lambda: None}[how]()
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_a_host_that_cannot_be_reached_is_unavailable(haul, account, net):
    f = account()
    net.no_route()
    began = time.monotonic()
    r = haul.fetch(status=UNAVAILABLE)
    assert time.monotonic() - began < 10 * SLOW
    assert "No route to host" in r.text
    net.a_route()
    haul.fetch()
    check(f.maildir, f.box.octets())
