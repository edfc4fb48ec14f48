# SPDX-License-Identifier: ISC
"""Mail of other users than who runs mailhaul. They are other users indeed
when root runs this; else all that is tested is that it is refused."""

import os

import pytest

import corpus
import haul as haul_module
from haul import CONFIG, OK, SLOW, Maildir, check, until
from people import (ALICE, BOB, ENGINE, STAFF, People, modes, owners, rights)

ROOT = os.getuid() == 0
root = pytest.mark.skipif(not ROOT, reason="only root can be other users")


@pytest.fixture
def people():
    p = People()
    yield p
    p.close()


@pytest.fixture
def haul(request, tmp_path):
    """In a directory that others can get through."""
    if not ROOT:
        return haul_module.Haul(tmp_path)
    people = request.getfixturevalue("people")
    h = haul_module.Haul(people.dir)
    h.prefix = people.prefix
    return h


def of_alice(fake, people, **kw):
    kw.setdefault("maildir", people.home("alice", "Maildir"))
    return fake("imap", run_as="alice", **kw)


# ---- who is not root ----

def test_it_is_roots_alone(fake, haul):
    fake("imap", run_as="nobody")
    if ROOT:
        os.chmod(haul.conf, 0o644)
        haul.prefix = ["setpriv", "--reuid=65534", "--regid=65534",
                       "--clear-groups"]
        haul.change(password=None, user="u")
        os.chmod(haul.conf, 0o644)
    r = haul.fetch(status=CONFIG)
    assert "run-as" in r.text and "is for root" in r.text


# ---- run-as, once ----

@root
def test_all_that_is_made_is_his(fake, haul, people):
    """Beside an account that is root's own."""
    a = of_alice(fake, people)
    b = fake("imap", name="b")
    for f in (a, b):
        f.box.add(corpus.message(1))
        f.box.add(corpus.message(2))
    haul.fetch()
    check(a.maildir, a.box.octets())
    check(b.maildir, b.box.octets())
    assert owners(a.maildir.path) == {(ALICE, ALICE)}
    assert modes(a.maildir.path) == {0o600}
    assert owners(haul.state + "/users/alice") == {(ALICE, ALICE)}
    assert owners(b.maildir.path) == {(0, 0)}
    assert os.stat(haul.state + "/users/alice").st_mode & 0o777 == 0o700
    assert os.stat(haul.state + "/ledger.sqlite").st_uid == 0
    haul.fetch()
    check(a.maildir, a.box.octets())


@root
def test_a_tilde_is_his_home(fake, haul, people):
    f = of_alice(fake, people, maildir="~/Maildir")
    f.box.add(corpus.message(1))
    haul.fetch()
    check(Maildir(people.home("alice", "Maildir")), f.box.octets())


@root
def test_his_program_has_his_rights_and_groups(fake, haul, people):
    out = people.home("alice", "out")
    f = of_alice(fake, people, maildir=None, mda=[
        "sh", "-c", 'cat >/dev/null; (id -u; id -g; id -G; echo $HOME $USER '
        '$LOGNAME; grep -E "^(CapEff|CapPrm|NoNewPrivs)" /proc/self/status; '
        'tty || :) >"$HOME/out"'])
    f.box.add(corpus.message(1))
    haul.fetch()
    with open(out) as file:
        lines = file.read().split("\n")
    assert lines[:2] == [str(ALICE), str(ALICE)]
    assert sorted(map(int, lines[2].split())) == [ALICE, STAFF]
    assert lines[3] == "%s alice alice" % people.home("alice")
    words = "\n".join(lines[4:]).split()
    assert words == ["CapPrm:", "0" * 16, "CapEff:", "0" * 16,
                     "NoNewPrivs:", "1", "not", "a", "tty"]
    assert os.stat(out).st_uid == ALICE


@root
@pytest.mark.parametrize("what", ["maildir", "above", "state"])
def test_a_link_to_what_is_not_his(fake, haul, people, what):
    """He points at root's, and gets nothing there."""
    f = of_alice(fake, people)
    f.box.add(corpus.message(1))
    mine = os.path.join(people.dir, "mine")
    os.mkdir(mine, 0o700)
    if what == "maildir":
        os.symlink(mine, people.home("alice", "Maildir"))
    elif what == "above":
        haul.change(maildir=people.home("alice", "link", "Maildir"))
        os.symlink(mine, people.home("alice", "link"))
    else:
        os.makedirs(haul.state + "/users", 0o711)
        os.symlink(mine, haul.state + "/users/alice")
    r = haul.fetch(status=None)
    assert r.status != OK
    assert os.listdir(mine) == []
    assert os.stat(mine).st_uid == 0


@root
def test_he_has_nothing_of_another_user(fake, haul, people):
    """Neither bob's ledger nor his mail, and bob has his own."""
    a = of_alice(fake, people, name="a")
    b = fake("imap", name="b", run_as="bob",
             maildir=people.home("bob", "Maildir"))
    for f in (a, b):
        f.box.add(corpus.message(1))
    haul.fetch()
    check(a.maildir, a.box.octets())
    check(b.maildir, b.box.octets())
    assert owners(haul.state + "/users/bob") == {(BOB, BOB)}
    haul.change("a", maildir=b.maildir.path)
    a.box.add(corpus.message(2))
    r = haul.fetch("a", status=None)
    assert r.status != OK and "ermission denied" in r.text
    assert owners(b.maildir.path) == {(BOB, BOB)}


@root
def test_a_user_that_is_gone(fake, haul, people):
    """The others' mail comes; and it is said why his does not."""
    fake("imap", name="a", run_as="carol",
         maildir=people.home("alice", "Maildir"))
    r = haul.fetch(status=CONFIG)
    assert "carol" in r.text and "no such user" in r.text


# ---- the daemon ----

@root
def test_the_processes_of_a_daemon(fake, haul, people, daemon):
    haul.globals["user"] = "mailhaul-engine"
    a = of_alice(fake, people)
    fake("imap", name="b")
    with daemon() as d:
        a.idler()
        until(lambda: [rights(p)["Seccomp"] for p in d.pids("deliverer")] ==
              [["2"]] * 2, 10, "two deliverers behind their walls")
        engine = rights(d.pid("engine"))
        his, ours = sorted(
            (rights(p) for p in d.pids("deliverer")),
            key=lambda r: r["Uid"][0] != str(ALICE))
        assert engine["Uid"] == [str(ENGINE)] * 4
        assert engine["Gid"] == [str(ENGINE)] * 4
        assert his["Uid"] == [str(ALICE)] * 4
        assert his["Gid"] == [str(ALICE)] * 4
        assert sorted(his["Groups"]) == [str(ALICE), str(STAFF)]
        for r in (engine, his):
            for set in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert r[set] == ["0" * 16]
        for r in (engine, his, ours):
            assert r["NoNewPrivs"] == ["1"] and r["Seccomp"] == ["2"]
        # not to be read by another process of alice
        for p in d.pids("deliverer"):
            assert os.stat("/proc/%d/environ" % p).st_uid == 0


@root
def test_his_deliverer_is_killed(fake, haul, people, daemon):
    """As often as it likes: nothing is lost, nothing is here twice, and the
    mail of another comes all the time."""
    a = of_alice(fake, people)
    b = fake("imap", name="b")
    with daemon() as d:
        a.idler()
        b.idler()
        n = 0
        for i in range(3):
            for _ in range(30):
                n += 1
                a.box.add(corpus.message(n))
            until(lambda: a.maildir.count() > i * 30, 20, "mail")
            old = [p for p in d.pids("deliverer")
                   if rights(p)["Uid"][0] == str(ALICE)]
            os.kill(old[0], 9)
            b.box.add(corpus.message(1000 + i))
            d.wait_mail("b", i + 1)
            until(lambda: [p for p in d.pids("deliverer") if p not in old
                           and rights(p)["Uid"][0] == str(ALICE)],
                  20 * SLOW, "another deliverer")
            d.wait_mail("a", n, timeout=30)
        # tmp/ is cleared up when the last one opens the Maildir
        a.box.add(corpus.message(n + 1))
        d.wait_mail("a", n + 1)
        assert d.logged("of alice was killed by signal 9")
    check(a.maildir, a.box.octets())
    check(b.maildir, b.box.octets())
    assert owners(a.maildir.path) == {(ALICE, ALICE)}
