# SPDX-License-Identifier: ISC
"""Many messages leave a real server, in batches: each of them."""

import pytest

import corpus
from haul import check


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_thousand_messages(account, haul, protocol):
    a = account(protocol, after="delete")
    originals = corpus.messages(1000, size=400)
    a.box.add(*originals)
    r = haul.fetch("-v")
    assert "1000 removed" in r.text
    check(a.maildir, originals)
    assert a.box.messages() == []
