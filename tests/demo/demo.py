# SPDX-License-Identifier: ISC
"""A tour of mailhaul: a private mail server on loopback with a few hundred
messages, fetched over IMAPS and POP3S into Maildirs, and fetched again. The
system's mail server is not touched; everything is gone afterwards."""

import os
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import corpus  # noqa: E402
import daemon  # noqa: E402
import dovecot  # noqa: E402
import haul  # noqa: E402

COUNT = 200
LISTS = 60


def say(text=""):
    print(text, flush=True)


def title(text):
    say()
    say("== " + text)


def run(h, *args, command="fetch"):
    say("$ mailhaul -c mailhaul.conf %s" % " ".join((command,) + args))
    r = h.run(*args, command=command)
    lines = r.text.rstrip("\n").split("\n")
    each = [x for x in lines if ": delivered " in x]
    for line in lines:
        if line and (line not in each or line in each[:2]):
            say("  " + line)
        if len(each) > 3 and line == each[1]:
            say("  ... and %d more such lines" % (len(each) - 2))
    say("  (exit status %d, %.2f s)" % (r.status, r.seconds))
    if r.status != haul.OK:
        sys.exit("the demo failed")
    return r


def fill(server):
    mails = {"inbox": corpus.messages(COUNT, seed=1),
             "lists": corpus.messages(LISTS, seed=2),
             "pop3": corpus.messages(COUNT, seed=3)}
    odd = corpus.hostile()
    mails["inbox"] += [odd[k] for k in (
        "bare-cr", "lone-dots", "from-lines", "headers-only",
        "no-final-newline", "long-line")]
    mails["pop3"] += [odd[k] for k in ("nul-in-header", "lone-dots", "every-octet")]
    server.box("alice").add(*mails["inbox"])
    server.box("alice", "Lists/Grüße").add(*mails["lists"])
    server.box("bob").add(*mails["pop3"])
    return mails


def configure(h, server):
    common = dict(host="localhost", password=dovecot.PASSWORD,
                  tls_ca_file=server.ca)
    h.account("work", protocol="imap", port=server.imaps, user="alice",
              mailboxes=["INBOX", "Lists/*"], after="keep",
              maildir=os.path.join(h.dir, "Maildir-work"), **common)
    h.account("old", protocol="pop3", port=server.pop3s, user="bob",
              after="delete",
              maildir=os.path.join(h.dir, "Maildir-old"), **common)


def counts(h, server):
    for name in h.accounts:
        d = h.maildir(name)
        say("  %-5s %4d messages in %s/new, %d in tmp" % (
            name, len(d.files("new")), d.path, len(d.files("tmp"))))
    left = len(server.box("bob").messages())
    say("  on the server: alice's are all there (after = keep), "
        "%d of bob's (after = delete)" % left)


def tour(server, directory):
    title("A private Dovecot on 127.0.0.1: IMAPS %d, POP3S %d" % (
        server.imaps, server.pop3s))
    mails = fill(server)
    total = sum(len(m) for m in mails.values())
    say("  %d messages, from empty to 10 MB, some of them as no mail program "
        "would write them" % total)

    h = haul.Haul(directory)
    configure(h, server)
    title("The configuration, %s" % h.conf)
    for line in h.conf_text().rstrip("\n").split("\n"):
        if "password" in line:
            line = '    password = "..."'
        say("  " + line)

    title("Is it right?")
    run(h, command="check")

    title("Fetch")
    run(h, "-v")
    counts(h, server)

    title("Every message is there, once, octet for octet")
    haul.check(h.maildir("work"), mails["inbox"] + mails["lists"])
    haul.check(h.maildir("old"), mails["pop3"])
    say("  compared %d messages with what was put on the server: equal, but "
        "for CRLF, which became LF" % total)

    title("Fetch again: nothing comes twice")
    run(h, "-v")
    counts(h, server)

    title("New mail arrives; only that is fetched")
    more = corpus.messages(3, seed=4)
    server.box("alice").add(*more)
    run(h, "-v", "work")
    haul.check(h.maildir("work"), mails["inbox"] + mails["lists"] + more)
    counts(h, server)

    title("A kill -9 in the middle, then fetch once more")
    again = corpus.messages(COUNT, seed=5)
    server.box("alice").add(*again)
    with haul.Watch(h.maildir("work")) as w:
        p = h.start("work")
        w.first.wait(10)
        for pid in haul.family(p.pid):
            os.kill(pid, signal.SIGKILL)
        h.finish(p)
    say("  killed after %d of %d messages" % (w.came, COUNT))
    run(h, "-v", "work")
    haul.check(h.maildir("work"),
               mails["inbox"] + mails["lists"] + more + again)
    counts(h, server)
    say("  none lost, none twice, tmp is empty")

    title("The daemon: mailhaul run")
    watch(h, server, mails["inbox"] + mails["lists"] + more + again)


def watch(h, server, so_far):
    """New mail while it idles, and what it says of itself."""
    with daemon.Daemon(h) as d:
        d.wait_state("work", "watching")
        run(h, command="status")
        came = corpus.messages(1, seed=6)
        began = time.monotonic()
        server.box("alice").add(*came)
        d.wait_mail("work", len(so_far) + 1)
        say("  a new message lies in Maildir-work %.2f s after it came to "
            "the server" % (time.monotonic() - began))
        run(h, command="status")
    haul.check(h.maildir("work"), so_far + came)
    say("  ended in order by SIGTERM")


def main():
    began = time.monotonic()
    directory = tempfile.mkdtemp(prefix="mailhaul-demo-")
    server = dovecot.Dovecot()
    try:
        server.start()
        tour(server, directory)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    title("Done in %.1f s; the server is stopped, its files are removed." % (
        time.monotonic() - began))
    say("   The manual: man -l man/mailhaul.1; man -l man/mailhaul.conf.5")
    say("   A configuration to start from: etc/mailhaul.conf")


if __name__ == "__main__":
    main()
