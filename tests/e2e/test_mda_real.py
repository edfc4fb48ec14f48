# SPDX-License-Identifier: ISC
"""procmail, maildrop and dovecot-lda, and the examples of mailhaul.conf(5)
run as they are printed."""

import contextlib
import mailbox
import os
import re
import shutil
import subprocess

import pytest

import corpus
import dovecot
from haul import OK, TEMPFAIL, TOP, Maildir, check, lf
from home import Home
from mda import HELD, LATER, held, settle, troubles

PROTOCOLS = ["imap", "pop3"]
PROCMAIL, MAILDROP = "/usr/bin/procmail", "/usr/bin/maildrop"
LDA = "/usr/lib/dovecot/dovecot-lda"


@pytest.fixture
def home(tmp_path, haul):
    h = Home(tmp_path)
    haul.prefix = h.prefix
    haul.env["HOME"] = h.path
    haul.env.pop("XDG_CONFIG_HOME", None)
    return h


def mails(n=12):
    """Ordinary ones: a program that reads lines ends the last one."""
    out = corpus.messages(n)
    for i in range(3):
        out.append(b"From: list@example.org\r\nSubject: [list] %d\r\n"
                   b"List-Id: <foo.example.org>\r\nMessage-ID: <l%d@x>\r\n"
                   b"\r\n.\r\n..\r\n\xff\x80 8-bit\r\n%s\r\n" % (
                       i, i, b"long " * 3000))
    return out


def lists(messages):
    return [m for m in messages if b"List-Id" in m]


def others(messages):
    return [m for m in messages if b"List-Id" not in m]


# ---- procmail ----

RC = """
MAILDIR=$HOME
VERBOSE=no
DEFAULT=$HOME/In/

:0
* ^List-Id:
$HOME/Lists/
"""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_procmail_sorts(account, haul, home, protocol):
    home.file(".procmailrc", RC)
    a = account(protocol, after="delete", mda=[
        PROCMAIL, "-t", "-d", home.me.pw_name])
    m = mails()
    a.box.add(*m)
    haul.fetch()
    check(Maildir(home.path + "/In"), others(m))
    check(Maildir(home.path + "/Lists"), lists(m))
    assert a.box.messages() == []


def test_procmail_into_an_mbox(account, haul, home):
    home.file(".procmailrc", "DEFAULT=$HOME/mbox\n")
    a = account("imap", after="delete", mda_from_line=True, mda=[
        PROCMAIL, "-t", "-d", home.me.pw_name])
    m = mails()
    a.box.add(*m)
    haul.fetch()
    with open(home.path + "/mbox", "rb") as f:
        data = f.read()
    assert data.startswith(b"From sender0@example.org ")
    got = [x.as_bytes() for x in mailbox.mbox(home.path + "/mbox")]
    assert len(got) == len(m)
    for octets in m:
        text = re.sub(b"(?m)^(>*From )", b">\\1", lf(octets).split(
            b"\n\n", 1)[1])
        assert text in data, octets[:200]


def test_a_procmail_that_sets_exit_codes(account, haul, home):
    home.file(".procmailrc", RC.replace("$HOME/Lists/", (
        "{\n LOG=\"no lists here\n\"\n EXITCODE=67\n HOST\n}\n")))
    a = account("imap", after="delete", mda=[
        PROCMAIL, "-t", "-d", home.me.pw_name])
    m = mails()
    a.box.add(*m)
    haul.fetch(status=TEMPFAIL)
    check(Maildir(home.path + "/In"), others(m))
    assert sorted(a.box.messages()) == sorted(lists(m))
    rows = troubles(haul)
    assert [t["state"] for t in rows] == [HELD] * 3
    assert "status 67" in rows[0]["reason"]
    assert "no lists here" in rows[0]["reason"], rows[0]
    home.file(".procmailrc", RC)
    held(haul, "retry")
    haul.fetch()
    check(Maildir(home.path + "/Lists"), lists(m))
    assert a.box.messages() == [] and troubles(haul) == []


@pytest.mark.parametrize("options,status", [(["-t"], 75), ([], 73)])
def test_a_procmail_that_cannot_write(account, haul, home, options, status):
    home.file("a-file", "")
    home.file(".procmailrc", "DEFAULT=$HOME/a-file/\nORGMAIL=$DEFAULT\n")
    a = account("pop3", after="delete", mda=[
        PROCMAIL, *options, "-d", home.me.pw_name])
    m = mails(3)
    a.box.add(*m)
    haul.fetch(status=TEMPFAIL)
    rows = troubles(haul)
    assert [t["state"] for t in rows] == [LATER] * len(m)
    assert "status %d" % status in rows[0]["reason"], rows[0]
    assert a.box.messages() == m
    home.file(".procmailrc", "DEFAULT=$HOME/In/\n")
    held(haul, "retry")
    settle(haul)
    check(Maildir(home.path + "/In"), m)
    assert a.box.messages() == []


# ---- maildrop ----

FILTER = """
if (/^List-Id:/)
{
    to "$HOME/Lists"
}
to "$HOME/In"
"""


def make_maildirs(home, *names):
    for name in names:
        for sub in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(home.path, name, sub), mode=0o700)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_maildrop_sorts(account, haul, home, protocol):
    home.file(".mailfilter", FILTER)
    make_maildirs(home, "In", "Lists")
    a = account(protocol, after="delete", mda=[MAILDROP])
    m = mails()
    a.box.add(*m)
    haul.fetch()
    check(Maildir(home.path + "/In"), others(m))
    check(Maildir(home.path + "/Lists"), lists(m))
    assert a.box.messages() == []


@pytest.mark.parametrize("code,state", [(69, HELD), (75, LATER)])
def test_a_maildrop_that_sets_exit_codes(account, haul, home, code, state):
    home.file(".mailfilter", FILTER.replace(
        "to \"$HOME/Lists\"", "echo \"no lists\"\n EXITCODE=%d\n exit" % code))
    make_maildirs(home, "In")
    a = account("imap", after="delete", mda=[MAILDROP])
    m = mails()
    a.box.add(*m)
    haul.fetch(status=TEMPFAIL)
    check(Maildir(home.path + "/In"), others(m))
    assert [t["state"] for t in troubles(haul)] == [state] * 3
    assert sorted(a.box.messages()) == sorted(lists(m))


def test_a_maildrop_whose_filter_others_may_write(account, haul, home):
    home.file(".mailfilter", FILTER, 0o666)
    make_maildirs(home, "In", "Lists")
    a = account("imap", after="delete", mda=[MAILDROP])
    m = mails(2)
    a.box.add(*m)
    haul.fetch(status=TEMPFAIL)
    rows = troubles(haul)
    assert [t["state"] for t in rows] == [LATER] * len(m)
    assert "status 75" in rows[0]["reason"]
    assert len(a.box.messages()) == len(m)
    home.file(".mailfilter", FILTER)
    held(haul, "retry")
    haul.fetch()
    check(Maildir(home.path + "/In"), others(m))


# ---- dovecot-lda ----

@pytest.fixture
def lda(server, home, haul):
    """Instead of the system's Dovecot programs there find the private one."""
    home.bind(os.path.join(server.dir, "dovecot.conf"),
              "/etc/dovecot/dovecot.conf")
    haul.prefix = home.prefix
    return server


@contextlib.contextmanager
def user_alice(server):
    """The user of the manual, with nothing in her mailbox."""
    box = server.box("alice")
    yield Maildir(box.path)
    shutil.rmtree(box.home)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dovecot_lda(account, haul, lda, protocol):
    a = account(protocol, after="delete")
    user = lda.user()
    box = lda.box(user)
    haul.change(maildir=None, mda=[LDA, "-d", user, "-f", "%{sender}", "-e"])
    m = mails()
    a.box.add(*m)
    haul.fetch()
    # it writes down the sender, and nothing else
    got = [re.sub(rb"\AReturn-Path: [^\n]*\n", b"", x)
           for x in Maildir(box.path).messages()]
    want = [re.sub(rb"\AReturn-Path: [^\n]*\n", b"", lf(x)) for x in m]
    assert sorted(got) == sorted(want)
    assert a.box.messages() == []


def test_a_dovecot_lda_with_wrong_words(account, haul, lda):
    a = account("imap", after="delete")
    haul.change(maildir=None, mda=[LDA, "--nonsense"])
    a.box.add(corpus.message(1))
    haul.fetch(status=TEMPFAIL)
    t, = troubles(haul)
    assert t["state"] == HELD and "status 64" in t["reason"], t
    assert len(a.box.messages()) == 1


# ---- the manual ----

def example(name):
    """The account section of the manual, as mandoc prints it."""
    r = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=200",
         os.path.join(TOP, "man", "mailhaul.conf.5")],
        check=True, capture_output=True)
    text = re.sub("(?s).\b", "", r.stdout.decode())
    lines = text.split("\n")
    first = next(i for i, x in enumerate(lines)
                 if x.strip() == "account %s {" % name)
    last = next(i for i in range(first, len(lines))
                if lines[i].strip() == "}")
    indent = len(lines[first]) - len(lines[first].lstrip())
    return "".join(x[indent:] + "\n" for x in lines[first:last + 1])


def as_printed(haul, a, home, name):
    """Runs the example with our server in place of the one it names."""
    text = example(name)
    assert "imap.example.org" in text and '"alice@example.org"' in text
    text = text.replace("imap.example.org", "localhost\n    port = %d\n"
                        "    tls-ca-file = \"%s\"" % (
                            a.server.port("imap", "implicit"), a.server.ca))
    text = text.replace('    user = "alice@example.org"',
                        '    user = "%s"' % a.user)
    home.file(".config/mailhaul/work.password", dovecot.PASSWORD + "\n")
    haul.accounts.clear()
    haul.write_conf("state-dir = \"%s\"\n%s" % (haul.state, text))
    assert haul.run(command="check").status == OK
    haul.fetch()


def without_trace(messages):
    """They have all the trace headers, since no example leaves them out."""
    out = []
    for m in messages:
        m = re.sub(rb"\A(Delivered-To: [^\n]*\n)?Received: from localhost\n"
                   rb"(\t[^\n]*\n)+X-Mailhaul: account=[^\n]*\n(\t[^\n]*\n)*",
                   b"", m)
        out.append(m)
    return sorted(out)


def test_the_example_with_procmail(account, haul, home):
    home.file(".procmailrc", "BOX=$1\nDEFAULT=$HOME/$BOX/\n")
    a = account("imap")
    m = mails(4)
    a.box.add(*m)
    as_printed(haul, a, home, "procmail")
    assert without_trace(Maildir(home.path + "/INBOX").messages()) == \
        sorted(lf(x) for x in m)


def test_the_example_with_maildrop(account, haul, home):
    home.file(".mailfilter", FILTER)
    make_maildirs(home, "In", "Lists")
    a = account("imap")
    m = mails(4)
    a.box.add(*m)
    as_printed(haul, a, home, "maildrop")
    assert without_trace(
        Maildir(home.path + "/In").messages() +
        Maildir(home.path + "/Lists").messages()) == sorted(
            lf(x) for x in m)


def test_the_example_with_dovecot_lda(account, haul, home, lda):
    a = account("imap")
    m = mails(4)
    a.box.add(*m)
    with user_alice(lda) as alice:
        as_printed(haul, a, home, "dovecot")
        got = [re.sub(rb"\AReturn-Path: [^\n]*\n", b"", x)
               for x in alice.messages()]
    assert without_trace(got) == sorted(lf(x) for x in m)
