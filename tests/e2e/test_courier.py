# SPDX-License-Identifier: ISC
"""Mail from a Courier."""

import imaplib

import pytest

import corpus
import courier as courier_module
from dovecot import PASSWORD
from haul import check, lf
from idler import Idler

PROTOCOLS = ["imap", "pop3"]


@pytest.mark.parametrize("after", ["keep", "delete"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetches_everything_once_from_courier(
        courier_account, haul, protocol, after):
    a = courier_account(protocol, after=after)
    mails = corpus.messages(20)
    a.box.add(*mails)
    haul.fetch()
    check(a.maildir, mails)
    left = a.box.messages()
    assert left == ([lf(m) for m in mails] if after == "keep" else [])
    assert haul.fetch().text == ""
    check(a.maildir, mails)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fetches_by_starttls_from_courier(courier_account, haul, protocol):
    a = courier_account(protocol, tls="starttls")
    a.box.add(corpus.message(1))
    haul.fetch()
    check(a.maildir, [corpus.message(1)])


def test_fetches_folders_from_courier(courier_account, courier, haul):
    a = courier_account("imap", mailboxes=["INBOX", "INBOX.Lists.*"])
    m, n = corpus.message(1), corpus.message(2)
    a.box.add(m)
    courier.box(a.user, "Lists/Grüße").add(n)
    haul.fetch()
    check(a.maildir, [m, n])


def test_a_courier_tells_who_idles(courier):
    box = courier.box("idler")
    with Idler(courier, "idler") as i:
        for n in (1, 2):
            box.add(corpus.message(n))
            assert i.told() == n


def test_a_courier_need_not_have_idle():
    with courier_module.Courier(idle=False) as c:
        user = c.user()
        c.box(user)
        with imaplib.IMAP4("127.0.0.1", c.imap) as s:
            s.login(user, PASSWORD)
            assert b" IDLE" not in s.capability()[1][0]
