# SPDX-License-Identifier: ISC
"""A session that ends at every octet that a server sends, by FIN and by
RST; many accounts in one run, each cut elsewhere."""

import time

import pytest

import model
from haul import SLOW, check

SMALL = [b"Subject: one\r\n\r\n1\r\n.\r\n.x\r\n", b"Subject: two\r\n\r\n2\r\n"]
PER_RUN = 60


class Many:
    """One server, a port per account; its first session on a port is cut
    behind so many octets."""

    def __init__(self, protocol, first, last, how, after):
        self.protocol, self.first, self.how = protocol, first, how
        n = last - first
        self.boxes = [model.Box(mails=SMALL) for _ in range(n)]
        self.server = model.Server(self.serve, ports=n)
        self.after = after

    def serve(self, peer, number):
        box = self.boxes[peer.index]
        if number == 0:
            peer.cut_after = self.first + peer.index
            peer.cut_how = self.how
        if self.protocol == "imap":
            s = model.Imap(peer, {"INBOX": box})
        else:
            s = model.Pop3(peer, box)
        if peer.cut_after == 0:
            peer.drop(self.how)
        s.greet()
        s.run()

    def accounts(self, haul):
        haul.accounts.clear()
        haul.globals["max-connections-per-host"] = 1000
        for i, port in enumerate(self.server.ports):
            haul.account("a%d" % (self.first + i), protocol=self.protocol, host="127.0.0.1",
                         port=port, tls="none", user=model.USER,
                         password=model.PASSWORD, retries=0, after=self.after,
                         maildir="%s/m%d" % (haul.dir, self.first + i))


def length_of_a_session(fake, haul, protocol, after):
    f = fake(protocol, after=after, box=model.Box(mails=SMALL),
             name="whole")
    haul.fetch("whole")
    return f.server.peers[0].sent


@pytest.mark.parametrize("how", ["fin", "reset"])
@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_cut_at_every_octet(fake, haul, protocol, after, how):
    end = length_of_a_session(fake, haul, protocol, after)
    step = 1 if how == "fin" else 3
    for first in range(0, end, PER_RUN * step):
        some(haul, protocol, after, how, first, min(end, first + PER_RUN))


def some(haul, protocol, after, how, first, last):
    many = Many(protocol, first, last, how, after)
    with many.server:
        many.accounts(haul)
        began = time.process_time()
        haul.fetch(status=None)
        for i, box in enumerate(many.boxes):
            check(haul.maildir("a%d" % (first + i)), SMALL, box.octets(),
                  all_here=False)
        haul.fetch()
        for i, box in enumerate(many.boxes):
            check(haul.maildir("a%d" % (first + i)), SMALL)
            if after == "delete":
                assert box.octets() == [], "cut at %d" % (first + i)
        assert time.process_time() - began < 30 * SLOW
