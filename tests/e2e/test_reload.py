# SPDX-License-Identifier: ISC
"""Another configuration while the daemon runs: what changes and what is left
alone, and what a bad one does: nothing."""

import os
import signal
import threading

import pytest

import corpus
import model
from haul import CONFIG, check

STILL = {"watch": "poll", "interval": "1h"}


def test_accounts_that_did_not_change_keep_their_sessions(
        fake, haul, daemon):
    kept, changed, gone = [fake("imap", name=n) for n in "abc"]
    with daemon() as d:
        for f in (kept, changed, gone):
            f.idler()
        haul.change("b", trace=["received"])
        del haul.accounts["c"]
        new = fake("imap", name="d")
        assert "reloaded: 3 accounts, 1 new, 1 changed, 1 removed" in \
            d.command("reload").out
        new.idler()
        gone.server.wait_for(lambda: not gone.live(), what="the end")
        changed.server.wait_for(lambda: len(changed.server.logins) == 2)
        changed.idler()
        assert len(kept.server.logins) == 1 and len(kept.live()) == 1
        assert [a["name"] for a in d.status()["accounts"]] == ["a", "b", "d"]
        for i, f in enumerate((kept, changed, new)):
            f.box.add(corpus.message(i))
        for name in "abd":
            d.wait_mail(name)


def test_a_bad_configuration_changes_nothing(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        haul.write_conf(haul.conf_text() + "intervall = 5m\n")
        r = d.command("reload", status=CONFIG)
        assert 'unknown option "intervall"' in r.err
        assert "the running configuration is kept" in r.err
        d.wait_log("the running configuration is kept")
        mark = d.mark()
        d.signal(signal.SIGHUP)
        d.wait_log("the running configuration is kept", mark)
        d.wait_state("a", "watching")
        assert len(f.server.logins) == 1
        f.box.add(corpus.message(1))
        d.wait_mail()
        haul.write_conf()


def test_a_daemon_whose_configuration_is_broken_answers_still(
        fake, haul, daemon):
    """What the commands need is the socket."""
    f = fake("imap")
    with daemon() as d:
        f.idler()
        haul.write_conf(haul.conf_text() + "intervall = 5m\n")
        d.wait_state("a", "watching")
        d.command("pause")
        d.wait_state("a", "paused")
        haul.write_conf()
        haul.fetch("-c", haul.conf + ".no", command="status", status=CONFIG)


def test_a_signal_reloads(fake, haul, daemon):
    fake("imap")
    with daemon() as d:
        d.wait_state("a", "watching")
        before = d.status()["daemon"]["reloaded"]
        f = fake("imap", name="b")
        d.signal(signal.SIGHUP)
        f.idler()
        d.wait_log("reloaded: 2 accounts, 1 new, 0 changed, 0 removed")
        d.notify.wait("RELOADING=1")
        d.notify.wait("MONOTONIC_USEC=")
        d.notify.wait("READY=1", 2)
        assert d.status()["daemon"]["reloaded"] >= before


def test_the_level_of_the_log_reaches_every_process(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        f.box.add(corpus.message(1))
        d.wait_mail()
        assert not d.logged("a: C: ")
        haul.globals["log-level"] = "trace"
        haul.write_conf()
        d.command("reload")
        mark = d.mark()
        f.box.add(corpus.message(2))
        d.wait_mail(count=2)
        d.wait_log("a: C: A[0-9]+ UID FETCH", mark)  # the engine
        d.wait_log("a: .*/Maildir-a: [0-9]+[.]M", mark)  # the deliverer


def test_what_needs_a_restart_is_named(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        haul.globals["state-dir"] = haul.dir + "/elsewhere"
        haul.globals["control"] = haul.state + "/control"
        haul.globals["max-connections-per-host"] = 3
        haul.write_conf()
        r = d.command("reload")
        assert "needs a restart to take effect: state-dir, " \
            "max-connections-per-host" in r.err
        d.wait_log("needs a restart")


def test_a_secret_that_changed_is_read_anew_for_who_was_refused(
        fake, haul, daemon):
    path = os.path.join(haul.dir, "password")
    with open(path, "w") as p:
        p.write("wrong\n")
    os.chmod(path, 0o600)
    f = fake("imap", password=None, password_file=path)
    with daemon() as d:
        d.wait_log("Not you")
        with open(path, "w") as p:
            p.write(model.PASSWORD + "\n")
        d.command("reload")
        f.idler()


def test_a_paused_account_stays_so(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        d.command("pause", "a")
        d.wait_state("a", "paused")
        haul.change(interval="7m")
        d.command("reload")
        d.wait_state("a", "paused")
        f.server.wait_for(lambda: not f.live(), what="the end")
        d.command("resume")
        f.idler()


def test_an_account_is_changed_while_it_fetches(fake, haul, daemon):
    """Its old session ends first; nothing is delivered twice."""
    f = fake("imap", **STILL)

    def slowly(s, n):
        if n > 0:
            return None
        s.greet()
        full = s.run("UID FETCH *BODY*")
        s.p.server.note()
        changed.wait(20)
        s.answer(full)
        s.run()
        return True

    changed = threading.Event()
    f.make = slowly
    for i in range(5):
        f.box.add(corpus.message(i))
    with daemon() as d:
        f.server.wait_for(lambda: any("BODY" in x for x in f.asked()))
        haul.change(interval="2h")
        d.command("reload")
        changed.set()
        d.wait_mail(count=5)
        d.wait_state("a", "sleeping")
        check(f.maildir, f.box.octets())


def test_reloads_in_a_row_leave_nothing_behind(fake, haul, daemon):
    f = fake("imap")
    with daemon() as d:
        f.idler()
        for i in range(8):
            haul.change(interval="%dm" % (20 + i))
            if i % 2:
                d.signal(signal.SIGHUP)
            else:
                d.command("reload")
            d.wait_log("reloaded: 1 account,", count=i + 1)
        d.wait_state("a", "watching")
        f.server.wait_for(lambda: len(f.live()) == 1, what="one session")
        f.box.add(corpus.message(1))
        d.wait_mail()


@pytest.mark.parametrize("when", ["before", "after"])
def test_sessions_that_wait_outlive_their_deliverer(
        fake, haul, daemon, when):
    """Mail that is told of while there is none is fetched by the next."""
    f = fake("imap")
    with daemon() as d:
        s = f.idler()
        if when == "after":
            d.kill_role("deliverer")
        f.box.add(corpus.message(1))
        if when == "before":
            d.kill_role("deliverer")
        d.wait_mail("a", 1)
        if when == "after":
            assert len(f.server.logins) == 1 and f.idler() is s
        f.box.add(corpus.message(2))
        d.wait_mail("a", 2)
    check(haul.maildir("a"), [corpus.message(1), corpus.message(2)])


def test_mail_that_comes_while_a_deliverer_is_started_again(
        fake, haul, daemon):
    """At any moment of it: before the account is known again, too."""
    fakes = [fake("imap", name="n%d" % i) for i in range(8)]
    with daemon() as d:
        for f in fakes:
            f.idler()
        back = threading.Thread(target=d.kill_role, args=("deliverer",))
        back.start()
        n = 0
        while back.is_alive() or n < 40:
            fakes[n % 8].box.add(corpus.message(n))
            n += 1
            back.join(0.005)
        for f in fakes:
            f.server.wait_for(lambda: f.maildir.count() == len(f.box.mails))
            assert len(f.server.logins) <= 2
        assert not d.logged("broke the protocol")
    for f in fakes:  # while it runs, tmp/ has a file that is opened ahead
        check(f.maildir, f.box.octets())
