# SPDX-License-Identifier: ISC
"""Words alone do not keep a server's hold on us: the deadline of a command
moves with what is done, not with what is said."""

import time

import pytest

import corpus
from haul import SLOW, UNAVAILABLE, check


@pytest.mark.parametrize("what", [
    b"* OK Still here\r\n", b"* 3 EXISTS\r\n", b"x"])
@pytest.mark.parametrize("at", ["CAPABILITY", "SELECT *", "UID FETCH *"])
def test_a_server_that_only_talks(fake, haul, at, what):
    def talk(s, n):
        if n > 0:
            return None
        s.greet()
        s.run(at)
        while True:
            s.p.send(what)
            time.sleep(0.1)

    f = fake("imap", talk, command_timeout="1s", retries=0)
    f.box.add(corpus.message(1))
    r = haul.fetch(status=UNAVAILABLE)
    assert r.seconds < 10 * SLOW
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_a_slow_line_is_not_cut(fake, haul):
    """A message that takes longer than a command may, but comes."""
    m = corpus.message(1, size=100000)

    def slowly(s, n):
        if n > 0:
            return None
        s.greet()
        full = s.run("UID FETCH *")
        s.p.send(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(m))
        for i in range(0, len(m), 10000):
            s.p.send(m[i:i + 10000])
            time.sleep(0.3)
        s.p.send(b")\r\n" + full.split()[0].encode() + b" OK done\r\n")
        s.run()
        return True

    f = fake("imap", slowly, command_timeout="1s", retries=0)
    f.box.add(m)
    haul.fetch()
    check(f.maildir, f.box.octets())
