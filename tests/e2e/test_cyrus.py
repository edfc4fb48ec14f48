# SPDX-License-Identifier: ISC
"""Mail from a Cyrus."""

import imaplib

import pytest

import corpus
import cyrus as cyrus_module
from dovecot import PASSWORD
from haul import check
from idler import Idler

PROTOCOLS = ["imap", "pop3"]


@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetches_everything_once_from_cyrus(
        cyrus_account, haul, protocol, after):
    a = cyrus_account(protocol, after=after)
    mails = corpus.messages(20)
    a.box.add(*mails)
    haul.fetch()
    check(a.maildir, mails)
    left = a.box.messages()
    assert left == (mails if after == "keep" else [])
    assert haul.fetch().text == ""
    check(a.maildir, mails)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetches_by_starttls_from_cyrus(cyrus_account, haul, protocol):
    a = cyrus_account(protocol, tls="starttls")
    a.box.add(corpus.message(1))
    haul.fetch()
    check(a.maildir, [corpus.message(1)])


def test_fetches_folders_from_cyrus(cyrus_account, cyrus, haul):
    a = cyrus_account("imap", mailboxes=["INBOX", "Lists/*"])
    m, n = corpus.message(1), corpus.message(2)
    a.box.add(m)
    cyrus.box(a.user, "Lists/Grüße").add(n)
    haul.fetch()
    check(a.maildir, [m, n])


def tells(server, seconds):
    box = server.box("idler")
    with Idler(server, "idler") as i:
        box.add(corpus.message(1))
        assert i.told() == 1
        box.add(corpus.message(2))
        assert i.told(seconds) == 2


def test_a_cyrus_with_idled_tells_who_idles_at_once(cyrus):
    tells(cyrus, cyrus_module.IDLE["idled"] / 2)


def test_a_cyrus_that_polls_tells_who_idles():
    with cyrus_module.Cyrus(idle="poll") as c:
        tells(c, 20)


def test_a_cyrus_need_not_have_idle():
    with cyrus_module.Cyrus(idle=None) as c:
        with imaplib.IMAP4("127.0.0.1", c.imap) as s:
            s.login(c.user(), PASSWORD)
            assert b" IDLE" not in s.capability()[1][0]
