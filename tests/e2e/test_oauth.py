# SPDX-License-Identifier: ISC
"""Accounts that log in with tokens: how they are kept, replaced and missed.
The provider is idp.py, the server knows its tokens."""

import contextlib
import json
import os
import re
import signal
import threading
import time
import urllib.parse

import pytest

import corpus
import model
from clock import Clock
from haul import (BUILD, NOPERM, PROTOCOL, TEMPFAIL, UNAVAILABLE, Haul, check,
                  family, names_of, until)
from people import ALICE, Own, People, owners
from proxy import Proxy

HOUR = 3600


def token_file(haul, name="a"):
    return os.path.join(haul.state, "tokens", name + ".json")


def saved(haul, name="a"):
    with open(token_file(haul, name)) as f:
        return json.load(f)


def save(haul, name, **tokens):
    os.makedirs(os.path.dirname(token_file(haul, name)), 0o700, exist_ok=True)
    fd = os.open(token_file(haul, name) + "~",
                 os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as f:
        json.dump(tokens, f)
    os.rename(token_file(haul, name) + "~", token_file(haul, name))


def log_in(haul, idp, name="a", age=0, life=HOUR, now=time.time):
    """As "mailhaul login" leaves it, so many seconds ago."""
    t = idp.tokens(model.USER, life=life - age)
    save(haul, name, access_token=t["access_token"],
         refresh_token=t["refresh_token"], client_id=idp.client,
         token_url=idp.url("token"), obtained=int(now()) - age,
         expires=int(now()) - age + life)
    return t


def expire(haul, idp, name="a"):
    """The token on disk is no good any more, and says so."""
    idp.expire(model.USER)
    t = saved(haul, name)
    save(haul, name, **{**t, "obtained": t["obtained"] - 2 * HOUR,
                        "expires": t["expires"] - 2 * HOUR})


def asked(idp):
    return idp.count("token", "refresh_token")


@pytest.fixture
def team(fake, haul, idp):
    """An account that has logged in, and its provider."""
    def make(name="a", section="idp", provider=None, **kw):
        i = provider or idp(**kw.pop("idp", {}))
        haul.sections.append(i.section(section))
        kw.setdefault("traits", {})["tokens"] = i
        f = fake("imap", tls="implicit", name=name, oauth2=section,
                 password=None, **kw)
        log_in(haul, i, name)
        return f, i
    return make


# ---- once ----

def test_a_token_that_lasts_is_used(team, haul):
    f, idp = team()
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert idp.requests == []


def test_one_that_has_expired_is_replaced(team, haul):
    f, idp = team()
    f.box.add(corpus.message(1))
    expire(haul, idp)
    before = saved(haul)
    haul.fetch()
    check(f.maildir, f.box.octets())
    after = saved(haul)
    assert asked(idp) == 1 and len(f.server.logins) == 1
    assert before["refresh_token"] != after["refresh_token"]
    assert after["expires"] > time.time() + 3000
    assert os.stat(token_file(haul)).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(token_file(haul))).st_mode & 0o777 == 0o700
    f.box.add(corpus.message(2))
    haul.fetch()
    assert asked(idp) == 1
    check(f.maildir, f.box.octets())


def test_the_client_has_a_secret(team, haul):
    f, idp = team(idp=dict(secret="s&cret/%"))
    expire(haul, idp)
    haul.fetch()
    assert asked(idp) == 1


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_the_proxy_of_the_account_is_for_its_provider_too(team, haul, kind):
    """And he finds out where the provider's name leads to."""
    f, idp = team()
    f.box.add(corpus.message(1))
    expire(haul, idp)
    names = {(name, port): ("127.0.0.1", port) for name, port in (
        ("localhost", idp.port), ("127.0.0.1", f.server.port))}
    p = Proxy(kind, names, user="us@er", password="p@ss/%")
    try:
        haul.change("a", proxy=p.url("us%40er", "p%40ss%2F%25"))
        haul.fetch()
    finally:
        p.stop()
    check(f.maildir, f.box.octets())
    assert p.asked == [("localhost", idp.port), ("127.0.0.1", f.server.port)]
    assert set(p.logins) == {("us@er", "p@ss/%")}


def test_who_has_not_logged_in_is_told_to(team, haul):
    f, idp = team()
    os.unlink(token_file(haul))
    r = haul.fetch(status=NOPERM)
    assert 'run "mailhaul login a"' in r.text
    assert f.server.connects == [] and idp.requests == []


def test_garbage_on_disk_is_said_to_be(team, haul):
    f, idp = team()
    with open(token_file(haul), "w") as file:
        file.write('{"access_token": ')
    r = haul.fetch(status=78)
    assert token_file(haul) in r.text and "mailhaul login a" in r.text


def test_what_was_withdrawn_is_not_asked_about_each_time(team, haul):
    f, idp = team()
    expire(haul, idp)
    idp.revoke(model.USER)
    for _ in range(5):
        r = haul.fetch(status=NOPERM)
        assert "invalid_grant" in r.text and "mailhaul login" in r.text
    assert asked(idp) == 1 and f.server.connects == []
    log_in(haul, idp)
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())


TROUBLE = [
    (503, TEMPFAIL, "cannot do it now"),
    (429, TEMPFAIL, "too often"),
    ("json", PROTOCOL, "oauth2 idp: "),
    ("html", PROTOCOL, "oauth2 idp: "),
    ("big", PROTOCOL, "more than 262144 octets"),
    ("cut", UNAVAILABLE, "oauth2 idp: localhost"),
    ("close", UNAVAILABLE, "oauth2 idp: localhost"),
    ("redirect", 78, "another URL"),
    (b"[" * 100000, PROTOCOL, "oauth2 idp: "),
]


@pytest.mark.parametrize("what, status, words", TROUBLE,
                         ids=lambda x: str(x)[:10])
def test_a_provider_in_trouble(team, haul, what, status, words):
    f, idp = team()
    f.box.add(corpus.message(1))
    expire(haul, idp)
    before = saved(haul)
    idp.traits["trouble"]["token"] = [what]
    r = haul.fetch(status=status)
    assert words in r.text, r
    assert f.server.connects == []
    assert saved(haul)["refresh_token"] == before["refresh_token"]
    if status == 78:
        return  # to be asked again in half a minute
    haul.fetch()
    check(f.maildir, f.box.octets())


def test_one_in_trouble_while_the_token_lasts(team, haul):
    f, idp = team()
    f.box.add(corpus.message(1))
    log_in(haul, idp, age=HOUR - 200)
    idp.traits["trouble"]["token"] = 503
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert asked(idp) == 1


def test_a_provider_that_is_somebody_else(team, haul, tmp_path):
    """Its certificate is from an authority that we do not trust."""
    import dovecot
    f, idp = team()
    expire(haul, idp)
    other = tmp_path / "other"
    other.mkdir()
    dovecot.make_certs(str(other))
    haul.sections = [idp.section(ca_file=str(other / "ca.pem"))]
    haul.write_conf()
    r = haul.fetch(status=NOPERM)
    assert "certificate" in r.text
    assert idp.requests == []


def test_a_provider_that_hangs_delays_nobody_else(team, fake, haul):
    f, idp = team()
    expire(haul, idp)
    g = fake("imap", name="b")
    g.box.add(corpus.message(1))
    idp.traits["trouble"]["token"] = "hang"
    with Clock(wall=True) as c:
        proc = haul.start(env=c.env)
        until(lambda: asked(idp) and g.maildir.count())
        c.advance(100)
        r = haul.finish(proc)
    assert r.status == UNAVAILABLE, r
    check(g.maildir, g.box.octets())


def test_many_that_hang_delay_no_other(fake, haul, daemon, idp, tmp_path):
    """Neither one with a command, nor one with another provider."""
    hangs, good = idp(), idp()
    haul.sections += [hangs.section("hangs"), good.section("good")]
    hangs.traits["trouble"]["token"] = "hang"
    for n in range(40):
        name = "h%d" % n
        haul.account(name, host="127.0.0.1", user=model.USER, oauth2="hangs",
                     maildir=str(tmp_path / "Maildir-h"))
        log_in(haul, hangs, name, age=2 * HOUR)
    a = fake("imap", name="a", password=None,
             password_command=["echo", model.PASSWORD])
    b = fake("imap", name="b", tls="implicit", password=None, oauth2="good",
             traits=dict(tokens=good))
    log_in(haul, good, "b", age=2 * HOUR)
    with daemon(ready=False) as d:
        for f in (a, b):
            f.box.add(corpus.message(1))
        d.wait_mail("a")
        d.wait_mail("b")
        hangs.wait(16, "token")
    assert len(hangs.requests) == 16


def test_a_refused_token_is_replaced_once(team, haul):
    """Whatever it says about itself on disk."""
    f, idp = team()
    f.box.add(corpus.message(1))
    idp.expire(model.USER)
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert asked(idp) == 1 and len(f.server.logins) == 2
    f.traits["login_answer"] = "NO [AUTHENTICATIONFAILED] never"
    haul.fetch(status=NOPERM)
    assert asked(idp) == 2 and len(f.server.logins) == 4


def test_a_rotated_token_survives_who_got_it(team, haul):
    """kill -9 as soon as it lies there, before the server is logged in to."""
    f, idp = team(traits=dict(greeting=None))
    expire(haul, idp)
    before = saved(haul)["refresh_token"]
    proc = haul.start()
    until(lambda: saved(haul)["refresh_token"] != before)
    pids = family(proc.pid)
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    haul.finish(proc)
    f.traits["greeting"] = "* OK ready"
    f.box.add(corpus.message(1))
    haul.fetch()
    assert asked(idp) == 1
    expire(haul, idp)
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert asked(idp) == 2 and not idp.grant_of(model.USER).revoked


def slow(f, idp):
    """The daemon's token is refused. Another was given, and is on its way."""
    f.idler()
    late = idp.traits["late"] = threading.Event()
    idp.expire(model.USER)
    f.server.end_all()
    until(lambda: asked(idp))
    return late


def goes_on(f, idp, haul, n):
    """Whoever uses the token before the last is a thief to the provider."""
    idp.traits["late"] = None
    expire(haul, idp)
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    assert asked(idp) == n and not idp.grant_of(model.USER).revoked


def test_a_rotated_token_survives_the_end_of_a_fetch(team, haul):
    f, idp = team()
    expire(haul, idp)
    late = idp.traits["late"] = threading.Event()
    proc = haul.start()
    until(lambda: asked(idp))
    for pid in family(proc.pid):  # as systemd does
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    late.set()
    haul.finish(proc)
    goes_on(f, idp, haul, 2)


def test_a_rotated_token_survives_the_end_of_the_daemon(team, haul, daemon):
    f, idp = team()
    with daemon() as d:
        late = slow(f, idp)
        threading.Thread(target=lambda: (
            d.wait_log("ending"), late.set())).start()
    goes_on(f, idp, haul, 2)


def test_a_rotated_token_survives_a_reload(team, haul, daemon):
    f, idp = team()
    with daemon() as d:
        late = slow(f, idp)
        haul.globals["log-level"] = "debug"
        haul.write_conf()
        d.command("reload")
        late.set()
        f.idler()
        assert asked(idp) == 1 and not idp.grant_of(model.USER).revoked
    goes_on(f, idp, haul, 2)


# ---- token-command ----

def tool(tmp_path, idp):
    """Prints what lies in a file, and notes that it was asked."""
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\necho >>%s\ncat %s\n" % (
        tmp_path / "asked", tmp_path / "token"))
    script.chmod(0o755)

    def renew():
        t = idp.tokens(model.USER)["access_token"]
        (tmp_path / "token").write_text(t + "\n")
        return t

    def count():
        return len((tmp_path / "asked").read_text())
    renew()
    return [str(script)], renew, count


def test_a_command_gives_a_token(fake, haul, idp, tmp_path):
    i = idp()
    command, renew, count = tool(tmp_path, i)
    f = fake("imap", tls="implicit", password=None, token_command=command,
             traits=dict(tokens=i))
    f.box.add(corpus.message(1))
    haul.fetch()
    check(f.maildir, f.box.octets())
    i.expire(model.USER)
    r = haul.fetch(status=NOPERM)
    assert count() == 3 and len(f.server.logins) == 2, r
    i.traits["life"] = 0
    renew()
    haul.fetch(status=NOPERM)
    assert count() == 5 and len(f.server.logins) == 3


def test_a_command_is_asked_again_and_not_for_ever(
        fake, daemon, idp, tmp_path):
    i = idp()
    command, renew, count = tool(tmp_path, i)
    f = fake("imap", tls="implicit", password=None, token_command=command,
             traits=dict(tokens=i))
    with Clock(wall=True) as c, daemon(env=c.env) as d:
        f.idler()
        assert count() == 1
        i.expire(model.USER)
        renew()
        f.box.add(corpus.message(1))
        d.wait_mail()
        f.server.end_all()
        wait(c, d, 60, lambda: len(f.server.logins) == 3, "another", 5)
        f.idler()
        assert count() == 2
        until(lambda: d.account()["refused"] == 0)
        i.expire(model.USER)
        f.server.end_all()
        wait(c, d, 60, lambda: len(f.server.logins) > 3, "a login", 5)
        passes(c, d, 3 * HOUR)
        assert len(f.server.logins) < 12 and count() < 12
        assert d.account()["state"] == "refused"


# ---- the daemon ----

@pytest.fixture
def clock(idp):
    with Clock(wall=True) as c:
        yield c


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(p) for p in f.read().split()]


def passes(clock, d, seconds, until_=lambda: False, step=25):
    """Time passes until it is so, but not while a provider is asked: an answer
    may take 30 s."""
    def asking():
        return any("mailhaul: https" in x
                   for x in names_of(children(d.proc.pid)).values())
    end = clock.monotonic() + seconds
    while clock.monotonic() < end and not until_():
        clock.advance(step)
        soon = time.monotonic() + 0.01
        while time.monotonic() < soon and not until_():
            time.sleep(0.002)
        until(lambda: not asking(), 40)


def wait(clock, d, seconds, condition, what="it", step=25):
    passes(clock, d, seconds, condition, step)
    until(condition, 10, what)


def follow(idp, clock):
    """The provider has the time that mailhaul has."""
    idp.now = lambda: time.time() + clock.monotonic() - time.monotonic()


def test_a_token_expires_while_it_idles(team, daemon, clock):
    """As Exchange does it: who began with it is cut off then."""
    f, idp = team()
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        first = f.idler()
        wait(clock, d, HOUR, lambda: asked(idp), "a new token")
        assert clock.monotonic() - time.monotonic() > 54 * 60
        assert len(f.server.connects) == 1
        passes(clock, d, 10 * 60)
        first.p.call(lambda: first.say(
            "* BYE Session invalidated - AccessTokenExpired"))
        first.p.call(first.p.drop)
        wait(clock, d, 10, lambda: len(f.server.logins) == 2, "a login", 1)
        f.idler()
        f.box.add(corpus.message(1))
        d.wait_mail()
        s = d.account()
        assert not s["failing"] and s["refused"] == 0, s
        assert f.server.logins[-1][2]
    check(f.maildir, f.box.octets())


def test_each_session_goes_on_with_the_new_token(team, daemon, clock):
    f, idp = team(mailboxes=["INBOX", "Lists"])
    f.boxes["Lists"] = model.Box()
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        f.idler(2)
        wait(clock, d, HOUR, lambda: asked(idp), "a new token")
        d.wait_log("has a new token")
        idp.access.pop(idp.secrets[0])  # the first is not good any more
        for s in f.live():
            s.p.call(lambda s=s: s.say("* BYE Session expired"))
            s.p.call(s.p.drop)
        wait(clock, d, 60, lambda: len(
            [s for s in f.live() if s.idling.is_set()]) == 2, "sessions", 2)
        for b in f.boxes.values():
            b.add(corpus.message(len(f.boxes)))
        d.wait_mail(count=2)
        assert not d.account()["failing"]
    assert all(x[2] for x in f.server.logins)


def test_hours_of_tokens(team, daemon, clock):
    """One question an hour, and no login is refused."""
    f, idp = team()
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        f.idler()
        for n in range(1, 5):
            clock.pass_by(50 * 60)
            assert asked(idp) == n - 1
            wait(clock, d, 400, lambda n=n: asked(idp) == n, "a token")
            d.wait_log("has a new token", count=n)
        assert not idp.grant_of(model.USER).revoked
        f.box.add(corpus.message(1))
        d.wait_mail()
        assert not [x for x in d.log.lines if "secret" in x]
    assert all(x[2] for x in f.server.logins)


@pytest.mark.parametrize("what, least", [(503, 28), (429, 298)])
def test_a_provider_is_left_alone(team, haul, daemon, what, least):
    f, idp = team()
    expire(haul, idp)
    idp.traits["trouble"]["token"] = what
    with daemon() as d:
        s = d.wait_state("a", "secret")
        assert least <= s["next"] - time.time() <= least + 5
        assert "oauth2 idp: " in s["error"]["text"]
        assert asked(idp) == 1 and f.server.connects == []


def test_a_withdrawn_login_is_asked_about_rarely(team, haul, daemon, clock):
    f, idp = team()
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        f.idler()
        idp.revoke(model.USER)
        f.server.end_all()
        passes(clock, d, 2.5 * HOUR)
        s = d.wait_state("a", "refused")
        assert "invalid_grant" in s["error"]["text"], s
        assert "mailhaul login" in s["error"]["text"], s
        assert 3 <= asked(idp) <= 8
        assert len(f.server.logins) <= 8
        assert d.logged("invalid_grant")
        log_in(haul, idp, now=idp.now)
        f.box.add(corpus.message(1))
        d.command("resume", "a")
        d.wait_mail()
        until(lambda: not d.account()["failing"])
    check(f.maildir, f.box.octets())


def test_a_withdrawn_login_at_the_start(team, haul, daemon, clock):
    """There is nothing to try: no connection, and few questions, also over
    restarts."""
    f, idp = team()
    follow(idp, clock)
    expire(haul, idp)
    idp.revoke(model.USER)
    for _ in range(3):
        with daemon(env=clock.env) as d:
            until(lambda: "invalid_grant" in
                  (d.account().get("error") or {}).get("text", ""))
    assert asked(idp) == 1
    with daemon(env=clock.env) as d:
        passes(clock, d, 2.5 * HOUR)
        assert 3 <= asked(idp) <= 6 and f.server.connects == []
        log_in(haul, idp, now=idp.now)
        f.box.add(corpus.message(1))
        d.command("resume", "a")
        d.wait_mail()


def test_a_server_that_wants_no_token_is_left_alone(team, daemon, clock):
    f, idp = team(traits=dict(login_answer="NO [AUTHENTICATIONFAILED] no"))
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        f.server.wait_for(lambda: len(f.server.logins) >= 2)
        passes(clock, d, 2.5 * HOUR)
        d.wait_state("a", "refused")
        assert 5 <= len(f.server.logins) <= 7
        assert asked(idp) <= 12
        logins = len(f.server.logins)
    with daemon(env=clock.env) as d:  # a restart forgets nothing
        d.wait_state("a", "refused")
        passes(clock, d, 20 * 60)
        assert len(f.server.logins) <= logins + 1


def test_a_provider_that_was_away_delays_no_mail(team, daemon, clock):
    """The token expires meanwhile: when he is back, so are we."""
    f, idp = team()
    follow(idp, clock)
    with daemon(env=clock.env) as d:
        f.idler()
        idp.traits["trouble"]["token"] = 503
        passes(clock, d, 2 * HOUR)
        f.server.end_all()
        passes(clock, d, HOUR)
        assert d.account()["failing"]
        assert asked(idp) < 60
        idp.traits["trouble"].clear()
        f.box.add(corpus.message(1))
        wait(clock, d, 15 * 60, f.maildir.count, "mail", 5)
        until(lambda: not d.account()["failing"])
    check(f.maildir, f.box.octets())


def test_a_clock_that_is_set_costs_a_question(team, daemon, clock):
    f, idp = team()
    with daemon(env=clock.env) as d:
        f.idler()
        for ahead in (48 * HOUR, -48 * HOUR):
            clock.wall(ahead)
            f.server.end_all()
            wait(clock, d, 60, lambda: any(
                x.idling.is_set() for x in f.live()), "a session", 2)
        f.box.add(corpus.message(1))
        d.wait_mail()
    assert asked(idp) <= 3


# ---- who sees them ----

def everything_of(pids):
    for pid in pids:
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                with open("/proc/%d/%s" % (pid, name), "rb") as f:
                    yield f.read()


def test_no_token_is_seen_anywhere(team, haul, daemon):
    f, idp = team(idp=dict(secret="c1ient-s3cret"))
    expire(haul, idp)
    haul.globals["log-level"] = "trace"
    haul.write_conf()
    seen, go = [], []

    def look(r):
        pids = family(d.proc.pid)
        seen.append(b"".join(everything_of(pids)))
        go.append(len(pids))
    idp.traits["trouble"]["token"] = look
    with daemon("-vvv", ready=False) as d:
        f.idler()
        text = d.log.text()
        seen.append(b"".join(everything_of(family(d.proc.pid))))
    assert b"mailhaul: https" in seen[0] and go[0] >= 4
    secrets = idp.secrets + [idp.traits["secret"]]
    for secret in secrets:
        for variant in (secret, urllib.parse.quote(secret, safe="")):
            assert variant not in text
            assert all(variant.encode() not in x for x in seen)



def test_who_gets_into_the_process_gets_no_further(team, haul, tmp_path):
    """No file but those for names, no program, no other process."""
    f, idp = team()
    expire(haul, idp)
    pipe, secret = str(tmp_path / "pipe"), tmp_path / "secret"
    secret.write_text("of another program\n")
    os.mkfifo(pipe)
    fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    tries = ["read:%s" % secret, "read:" + token_file(haul),
             "write:%s" % (tmp_path / "made"), "exec", "unix", "kill",
             "ptrace", "fork"]
    haul.fetch(env={
        "LD_PRELOAD": os.path.join(BUILD, "tests", "e2e", "intruder.so"),
        "MAILHAUL_INTRUDE_IN": "https", "MAILHAUL_INTRUDE_TO": pipe,
        "MAILHAUL_INTRUDE": ",".join(tries)})
    text = os.read(fd, 1 << 16).decode()
    os.close(fd)
    came = re.findall(r"^intruder: (\w+)\S*: (\w+)$", text, re.M)
    assert came == [("read", "EACCES")] * 2 + [("write", "EACCES")] + [
        (x, "EPERM") for x in tries[3:]]
    assert not (tmp_path / "made").exists()


# ---- users ----

@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
def test_a_users_own_account(fake, idp, certs):
    """As he asks the provider, and for nobody else's files; his tokens are
    where only root gets to."""
    people = People()
    try:
        i = idp(secret="s3cr3t")
        haul = Haul(people.dir)
        haul.prefix = people.prefix
        haul.globals["users"] = ["alice"]
        haul.write_conf()
        alice = Own(people, "alice")
        with open(certs + "/ca.pem") as f:
            ca = people.file("alice", "ca.pem", f.read())
        client = people.file("alice", "client", "s3cr3t\n")
        lines = i.section(ca_file=ca).split("\n")
        alice.sections = ["\n".join(
            x if "client-secret" not in x else
            '    client-secret-file = "%s"' % client for x in lines)]
        f = fake("imap", of=alice, name="work", tls="implicit", password=None,
                 oauth2="idp", tls_ca_file=ca, traits=dict(tokens=i))
        f.box.add(corpus.message(1))
        log_in(haul, i, "alice%2Fwork")
        expire(haul, i, "alice%2Fwork")
        seen = []
        i.traits["trouble"]["token"] = lambda r: seen.append(askers())
        haul.fetch("alice/work")
        check(f.maildir, f.box.octets())
        assert seen == [{ALICE}] and asked(i) == 1
        assert owners(os.path.join(haul.state, "tokens")) == {(0, 0)}
    finally:
        people.close()


def askers():
    """Whose the processes are that ask a provider."""
    out = set()
    for p in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            with open("/proc/%s/cmdline" % p) as f:
                if not f.read().startswith("mailhaul: https\0alice"):
                    continue
            with open("/proc/%s/status" % p) as f:
                uids = re.search(r"^Uid:\s+(.*)$", f.read(), re.M).group(1)
            assert len(set(uids.split())) == 1
            out.add(int(uids.split()[0]))
    return out
