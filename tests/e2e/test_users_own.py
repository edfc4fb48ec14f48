# SPDX-License-Identifier: ISC
"""Accounts that users have in their own files, fetched by a daemon that root
runs."""

import os
import re
import signal

import pytest

import corpus
import haul as haul_module
import model
from haul import CONFIG, NOPERM, OK, USAGE, Maildir, check, quoted, until
from people import ALICE, BOB, Own, People, modes, owners, rights

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can be other users")


@pytest.fixture
def people():
    p = People()
    yield p
    p.close()


@pytest.fixture
def haul(people):
    h = haul_module.Haul(people.dir)
    h.prefix = people.prefix
    h.globals["users"] = ["alice", "bob"]
    h.write_conf()
    return h


@pytest.fixture
def alice(people):
    return Own(people, "alice")


@pytest.fixture
def bob(people):
    return Own(people, "bob")


def names(d):
    return [a["name"] for a in d.status()["accounts"]]


def wait_known(d, mark=0):
    """Until all files of users were read."""
    d.wait_log("users have [0-9]+ accounts?,", mark)


def come(f, count=1):
    until(lambda: f.maildir.count() >= count, 20, "mail")


# ---- who has some ----

def test_they_are_fetched_as_if_they_were_ours(
        fake, haul, people, daemon, alice, bob):
    """Into the homes of those whose they are, and with their rights."""
    password = people.file("alice", "password", model.PASSWORD + "\n")
    w = fake("imap", of=alice, name="work", password=None,
             password_file="~/password")
    p = fake("pop3", of=alice, name="old", maildir="~/Mail/old")
    p.maildir = Maildir(people.home("alice", "Mail/old"))
    b = fake("imap", of=bob, name="work")
    r = fake("imap", name="ours")
    assert os.stat(password).st_mode & 0o777 == 0o600
    with daemon() as d:
        wait_known(d)
        for f in (w, b, r):
            f.idler()
        for i, f in enumerate((w, p, b, r)):
            f.box.add(corpus.message(i))
            d.command("poll", "alice/old")
            come(f)
        assert names(d) == ["ours", "alice/work", "alice/old", "bob/work"]
        d.wait_state("alice/work", "watching")
        d.wait_log("alice/work: ")
        assert model.PASSWORD not in d.log.text()
    for f in (w, p, b, r):
        check(f.maildir, f.box.octets())
    for f, uid in ((w, ALICE), (p, ALICE), (b, BOB)):
        assert owners(f.maildir.path) == {(uid, uid)}
        assert modes(f.maildir.path) == {0o600}
    assert owners(haul.state + "/users/bob") == {(BOB, BOB)}


def test_a_netrc_is_read_as_him(fake, haul, people, daemon, alice, bob):
    """His own, and none that root alone could read."""
    entry = 'machine 127.0.0.1 login %s password "%s"\n' % (
        model.USER, model.PASSWORD)
    people.file("alice", ".netrc", entry)
    people.file("bob", "roots", entry)
    os.chown(people.home("bob", "roots"), 0, 0)
    w = fake("imap", of=alice, name="work", password=None,
             password_netrc=True)
    b = fake("imap", of=bob, name="work", password=None,
             password_netrc=True, netrc_file="~/roots")
    with daemon() as d:
        wait_known(d)
        w.idler()
        a = d.wait_state("bob/work", "secret")
        assert "roots: Permission denied" in a["error"]["text"]
        assert not b.server.connects


def test_root_orders_them_about_and_they_do_not(
        fake, haul, people, daemon, alice):
    haul.globals["users"] = ["@staff"]
    haul.write_conf()
    w = fake("imap", of=alice, name="work")
    with daemon() as d:
        wait_known(d)
        w.idler()
        d.command("pause", "alice/work")
        d.wait_state("alice/work", "paused")
        d.command("reload")
        assert d.account("alice/work")["state"] == "paused"
        d.command("resume", "alice/work")
        w.idler()
        d.command("poll", "alice/work")
        os.chmod(haul.conf, 0o644)
        as_root = haul.prefix
        haul.prefix = [*as_root, "setpriv", "--reuid=%d" % ALICE,
                       "--regid=%d" % ALICE, "--clear-groups"]
        for order in ("status", "pause", "reload"):
            d.command(order, status=NOPERM)
        haul.prefix = as_root


def test_his_deliverer_is_killed(fake, haul, daemon, alice):
    w = fake("imap", of=alice, name="work")
    with daemon() as d:
        wait_known(d)
        w.idler()
        w.box.add(corpus.message(1))
        come(w)
        d.seen()
        his = [p for p in d.pids("deliverer")
               if rights(p)["Uid"][0] == str(ALICE)]
        os.kill(his[0], signal.SIGKILL)
        d.wait_log("of alice was killed by signal 9")
        w.box.add(corpus.message(2))
        come(w, 2)
    check(w.maildir, w.box.octets())
    assert owners(w.maildir.path) == {(ALICE, ALICE)}


# ---- without a daemon ----

def test_they_are_fetched_once(fake, haul, alice, bob):
    """With all others, or by name; bob's mistake is his alone."""
    w = fake("imap", of=alice, name="work")
    p = fake("pop3", of=alice, name="old")
    r = fake("imap", name="ours")
    bob.write_conf("intervall = 5m\n")
    for f in (w, p, r):
        f.box.add(corpus.message(1))
    out = haul.fetch()
    assert "user bob: " in out.err and "intervall" in out.err
    for f in (w, p, r):
        check(f.maildir, f.box.octets())
        f.box.add(corpus.message(2))
    assert haul.fetch("alice/old").text == ""
    check(p.maildir, p.box.octets())
    assert w.maildir.count() == r.maildir.count() == 1
    assert owners(w.maildir.path) == {(ALICE, ALICE)}
    assert haul.fetch("alice/wrk", status=USAGE).err.count("alice/work") == 1
    assert haul.fetch("-q").text == ""
    check(w.maildir, w.box.octets())


def test_many_that_need_a_process_have_their_turns(fake, haul, people, alice):
    people.file("alice", "password", model.PASSWORD + "\n")
    made = [fake("imap", of=alice, name="a%d" % i, password=None,
                 password_file="~/password") for i in range(7)]
    for f in made:
        f.box.add(corpus.message(1))
    haul.fetch()
    for f in made:
        check(f.maildir, f.box.octets())


def test_what_is_too_big_is_hers_too(fake, haul, alice):
    w = fake("imap", of=alice, name="work", max_size="10K")
    w.box.add(corpus.message(1, size=20000))
    haul.fetch()
    assert "alice/work" in haul.fetch(command="held").out
    haul.fetch("show", "alice/work", "1", command="held")
    haul.fetch("--full", "alice/work", "1")
    check(w.maildir, w.box.octets())
    assert haul.fetch("alice/work", command="held").status == OK
    haul.fetch("alice/wrk", command="held", status=USAGE)


def test_a_check_tells_of_all(fake, haul, alice, bob):
    fake("imap", of=alice, name="work")
    fake("imap", name="ours")
    bob.write_conf("account b {\n    hots = x\n}\n")
    r = haul.fetch(command="check")
    assert re.search(r"^ours: imap ", r.out, re.M)
    assert re.search(r"^alice/work: imap .*Maildir-work", r.out, re.M)
    assert "user bob: " in r.err and "mail.conf:2: " in r.err
    r = haul.fetch("alice/work", command="check")
    assert r.out.count("\n") == 1
    r = haul.fetch("alice/wrk", command="check", status=USAGE)
    assert 'did you mean "alice/work"' in r.err
    haul.globals["user-accounts"] = 0
    haul.write_conf()
    haul.fetch(command="check", status=CONFIG)


# ---- changes ----

def test_a_change_counts_after_a_reload(fake, haul, daemon, alice, bob):
    """Who did not change keeps his session."""
    r = fake("imap", name="ours")
    w = fake("imap", of=alice, name="work")
    b = fake("imap", of=bob, name="b")
    with daemon() as d:
        wait_known(d)
        for f in (r, w, b):
            f.idler()
        new = fake("imap", of=alice, name="new")
        del bob.accounts["b"]
        bob.write_conf()
        b.box.add(corpus.message(1))
        come(b)
        assert names(d) == ["ours", "alice/work", "bob/b"]
        out = d.command("reload").out
        assert "reloaded: 1 account, 0 new, 0 changed, 0 removed\n" \
            "users have 2 accounts, 1 new, 0 changed, 1 removed\n" in out
        new.idler()
        assert names(d) == ["ours", "alice/work", "alice/new"]
        b.server.wait_for(lambda: not b.live(), what="the end")
        mark = d.mark()
        w.haul.change("work", trace=["received"])
        d.signal(signal.SIGHUP)
        d.wait_log("users have 2 accounts, 0 new, 1 changed, 0 removed", mark)
        w.server.wait_for(lambda: len(w.server.logins) == 2)
        w.idler()
        assert len(r.server.logins) == len(new.server.logins) == 1
        w.box.add(corpus.message(2))
        come(w)


def test_who_makes_a_mistake_keeps_what_he_had(fake, haul, daemon, alice, bob):
    w = fake("imap", of=alice, name="work")
    b = fake("imap", of=bob, name="b")
    with daemon() as d:
        wait_known(d)
        w.idler()
        b.idler()
        alice.write_conf(alice.conf_text() + "intervall = 5m\n")
        del bob.accounts["b"]
        bob.write_conf()
        r = d.command("reload")
        assert 'unknown option "intervall"' in r.err
        assert "user alice: " in r.err
        assert "1 account, 0 new, 0 changed, 1 removed" in r.out
        assert names(d) == ["alice/work"]
        assert len(w.server.logins) == 1 and w.live()
        w.box.add(corpus.message(1))
        come(w)


def test_who_is_no_user_any_more_has_no_accounts(
        fake, haul, daemon, alice, bob):
    w = fake("imap", of=alice, name="work")
    b = fake("imap", of=bob, name="b")
    with daemon() as d:
        wait_known(d)
        w.idler()
        b.idler()
        haul.globals["users"] = ["bob"]
        haul.write_conf()
        assert "0 new, 0 changed, 1 removed" in d.command("reload").out
        assert names(d) == ["bob/b"]
        w.server.wait_for(lambda: not w.live(), what="the end")
        until(lambda: all(rights(p)["Uid"][0] != str(ALICE)
                          for p in d.pids("deliverer")), 20,
              "the end of her deliverer")
        assert len(b.server.logins) == 1


# ---- how many, and what they may ----

def test_there_are_only_so_many(fake, haul, daemon, alice):
    haul.globals["user-accounts"] = 2
    haul.globals["user-connections"] = 3
    haul.write_conf()
    boxes = {n: model.Box() for n in ("INBOX", "a", "b", "c", "d")}
    made = [fake("imap", of=alice, name=n, mailboxes=["*"],
                 max_connections=5) for n in ("one", "two", "three")]
    for f in made:
        f.boxes.update(boxes)
    with daemon() as d:
        wait_known(d)
        assert names(d) == ["alice/one", "alice/two"]
        assert d.logged("user alice: only the first 2 of his 3 accounts")
        made[0].idler(2)
        made[1].idler(1)
        assert made[2].server.logins == []
        assert len(made[0].live()) == 2 and len(made[1].live()) == 1


def test_programs_are_run_if_they_may_be(fake, haul, people, daemon, alice):
    ran = people.home("alice", "ran")
    w = fake("imap", of=alice, name="work", password=None, password_command=[
        "sh", "-c", "id -u >%s; echo %s" % (ran, model.PASSWORD)])
    with daemon() as d:
        d.wait_log("user alice: .*: account work: password-command is not "
                   "allowed here")
        assert names(d) == []
        assert not os.path.exists(ran)
        haul.globals["user-password-command"] = True
        haul.write_conf()
        d.command("reload")
        w.idler()
        with open(ran) as f:
            assert f.read() == "%d\n" % ALICE
        assert os.stat(ran).st_uid == ALICE
        # no more, and his file cannot be read then
        haul.globals["user-password-command"] = False
        haul.write_conf()
        alice.write_conf("{")
        d.command("reload")
        w.server.wait_for(lambda: not w.live(), what="the end")
        assert names(d) == []


# ---- who wants more ----

SECRET = "root:$6$of-root-alone:19000:0:99999:7:::"


def own_file(people, *name):
    d = people.home("alice", ".config", "mailhaul")
    os.makedirs(d, exist_ok=True)
    os.chown(people.home("alice", ".config"), ALICE, ALICE)
    os.chown(d, ALICE, ALICE)
    return os.path.join(d, *name)


def link_to_shadow(people):
    path = os.path.join(people.dir, "shadow")
    with open(path, "w") as f:
        f.write(SECRET + "\n")
    os.chmod(path, 0o600)
    os.symlink(path, own_file(people, "x.conf"))
    return "Permission denied"


def link_to_bobs(people):
    """Which he may read, even."""
    os.chmod(people.home("bob"), 0o755)
    path = people.file("bob", "his.conf", SECRET + "\n", 0o644)
    os.symlink(path, own_file(people, "x.conf"))
    return "x.conf"


def link_of_directory(people):
    path = os.path.join(people.dir, "roots")
    os.mkdir(path, 0o700)
    with open(os.path.join(path, "x.conf"), "w") as f:
        f.write(SECRET + "\n")
    os.rename(own_file(people), own_file(people) + ".not")
    os.symlink(path, people.home("alice", ".config", "mailhaul"))
    return "Permission denied"


def fifo(people):
    os.mkfifo(own_file(people, "x.conf"), 0o600)
    os.chown(own_file(people, "x.conf"), ALICE, ALICE)
    return "x.conf"


def directory(people):
    os.mkdir(own_file(people, "x.conf"), 0o755)
    os.chown(own_file(people, "x.conf"), ALICE, ALICE)
    return "x.conf"


def gigabyte(people):
    people.file("alice", ".config/mailhaul/x.conf", SECRET)
    os.truncate(own_file(people, "x.conf"), 1 << 30)
    return "x.conf"


def device(people):
    os.symlink("/dev/zero", own_file(people, "x.conf"))
    return "x.conf"


def endless_include(people):
    people.file("alice", ".config/mailhaul/x.conf", 'include("x.conf")\n')
    return "x.conf"


def run_as_another(people):
    people.file("alice", ".config/mailhaul/x.conf",
                'account x { host = localhost user = u maildir = "/x" '
                'run-as = bob }\n')
    return "run-as"


def run_as_root(people):
    people.file("alice", ".config/mailhaul/x.conf",
                'defaults { run-as = root }\n')
    return "run-as"


def ours_of_the_globals(people):
    people.file("alice", ".config/mailhaul/x.conf",
                'users = {"bob"}\nnotify-command = {"/bin/sh"}\n')
    return "notify-command"




def a_name_of_anothers(people):
    people.file("alice", ".config/mailhaul/x.conf",
                'account "bob/b" { host = localhost user = u '
                'maildir = "~/x" }\n')
    return "bob/b"


def control_characters(people):
    people.file("alice", ".config/mailhaul/x.conf",
                'x\x1b]0;owned\x07\x9b = "\x1b[2J"\n')
    return "x.conf"


def a_cafile_of_roots(people):
    path = os.path.join(people.dir, "shadow")
    with open(path, "w") as f:
        f.write(SECRET + "\n")
    os.chmod(path, 0o600)
    people.file("alice", ".config/mailhaul/x.conf",
                'account x { host = localhost user = u maildir = "~/x" '
                'tls-ca-file = %s }\n' % quoted(path))
    return "Permission denied"


TRICKS = [link_to_shadow, link_to_bobs, link_of_directory, fifo, directory,
          gigabyte, device, endless_include, run_as_another, run_as_root,
          ours_of_the_globals, a_name_of_anothers, control_characters,
          a_cafile_of_roots]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda t: t.__name__)
def test_a_hostile_user(fake, haul, people, daemon, alice, bob, trick):
    """He has no accounts, it is said why, and bob's mail comes. Nothing of
    what was not his is shown anywhere."""
    fake("imap", of=alice, name="work")
    b = fake("imap", of=bob, name="b")
    why = trick(people)
    with daemon() as d:
        wait_known(d)
        b.idler()
        b.box.add(corpus.message(1))
        come(b)
        assert names(d) == ["bob/b"]
        line = d.logged("user alice: ")
        assert line and why in d.log.text()
        out = d.command("reload")
        assert "user alice: " in out.err
        for text in (d.log.text(), out.text):
            assert "of-root-alone" not in text and SECRET[:8] not in text
            assert "\x1b" not in text and "\x9b" not in text
        assert names(d) == ["bob/b"]
    assert owners(b.maildir.path) == {(BOB, BOB)}


def test_a_password_file_of_roots(fake, haul, people, daemon, alice, bob):
    """He names root's, and nothing of it gets to a server of his."""
    path = os.path.join(people.dir, "roots")
    with open(path, "w") as f:
        f.write("of-root-alone\n")
    os.chmod(path, 0o600)
    w = fake("imap", of=alice, name="work", password=None, password_file=path)
    os.symlink(path, people.home("alice", "link"))
    x = fake("imap", of=alice, name="x", password=None,
             password_file="~/link")
    c = fake("imap", of=alice, name="c", password=None,
             password_credential="roots")
    b = fake("imap", of=bob, name="b")
    haul.env["CREDENTIALS_DIRECTORY"] = people.dir
    with daemon() as d:
        wait_known(d)
        b.idler()
        for name in ("alice/work", "alice/x", "alice/c"):
            until(lambda: d.account(name)["error"], 20, "an error")
        assert d.logged("alice/work: .*Permission denied")
        assert d.logged("alice/x: .*Permission denied")
        assert d.logged("alice/c: .*is the administrator's")
        assert "of-root-alone" not in d.log.text()
        assert w.server.logins == x.server.logins == c.server.logins == []
