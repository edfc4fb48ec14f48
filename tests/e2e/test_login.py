# SPDX-License-Identifier: ISC
"""mailhaul login: each way to the first tokens of an account, and each way in
which it can fail."""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import corpus
import dovecot
import haul as haul_module
import idp as idp_module
from clock import Clock
from haul import (CONFIG, NOPERM, OK, PROTOCOL, SLOW, TEMPFAIL, UNAVAILABLE,
                  USAGE, check, family, until)
from people import ALICE, Own, People, rights
from proxy import Proxy

USER = "alice@example.org"


class Login:
    """An account of haul's with tokens of idp's."""

    def __init__(self, haul, provider, *without, account=True, **more):
        self.haul, self.idp = haul, provider
        if account:
            haul.account(
                "a", host="localhost", port=1, user=USER, oauth2="idp")
        self.configure(*without, **more)

    def configure(self, *without, **more):
        self.haul.write_conf(self.idp.section("idp", *without, **more) +
                             self.haul.conf_text())

    def run(self, *args, status=OK, stdin="", left=False, **kw):
        p = self.start(*args, stdin=subprocess.PIPE, **kw)
        return p.end(status, stdin, left=left)

    def start(self, *args, **kw):
        return Running(self, *args, **kw)

    @property
    def directory(self):
        return os.path.join(self.haul.state, "tokens")

    def files(self):
        """What is there for the account, without its lock."""
        if not os.path.isdir(self.directory):
            return []
        return [os.path.join(self.directory, f)
                for f in sorted(os.listdir(self.directory))
                if not f.endswith(".lock")]

    def tokens(self):
        (path,) = self.files()
        with open(path) as f:
            return json.load(f)

    def text(self):
        (path,) = self.files()
        with open(path) as f:
            return f.read()

    def check(self):
        """There are tokens, and they are the last that were given."""
        answer = self.idp.asked("token")[-1].answer
        text = json.dumps(self.tokens()) + self.text()
        assert answer["access_token"] in text
        if "refresh_token" in answer:
            assert answer["refresh_token"] in text


class Running:
    """A login that goes on. What it prints comes to .out as it is said."""

    def __init__(self, login, *args, stdin=subprocess.DEVNULL, stdout=None,
                 account="a", **kw):
        self.login = login
        haul = login.haul
        self.proc = subprocess.Popen(
            [*haul.command_line("login"), *args, account], stdin=stdin,
            stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE,
            env=haul.environ(kw.pop("env", None)), cwd=haul.dir, **kw)
        self.out, self.err = b"", b""
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.read, args=x)
                        for x in (("out", self.proc.stdout),
                                  ("err", self.proc.stderr))
                        if x[1] is not None]
        for t in self.threads:
            t.start()

    def read(self, name, stream):
        while True:
            data = os.read(stream.fileno(), 65536)
            with self.changed:
                setattr(self, name, getattr(self, name) + data)
                self.changed.notify_all()
            if not data:
                stream.close()
                return

    def text(self):
        return (self.out + self.err).decode("utf-8", "replace")

    def wait(self, pattern, timeout=20):
        with self.changed:
            assert self.changed.wait_for(
                lambda: re.search(pattern, self.text()), timeout * SLOW), \
                "no %r: %s" % (pattern, self.text())
            return re.search(pattern, self.text())

    def url(self):
        return self.wait(r"\n    (https://\S+)\n").group(1)

    def say(self, line):
        self.proc.stdin.write(line.encode())
        self.proc.stdin.flush()

    def end(self, status=OK, stdin="", timeout=60, left=False):
        """left: there are tokens of an earlier login."""
        if self.proc.stdin is not None:
            if stdin:
                self.say(stdin)
            self.proc.stdin.close()
        try:
            self.proc.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            raise AssertionError("it does not end: " + self.text()) from None
        finally:
            for t in self.threads:
                t.join(20)
        text = self.text()
        assert "Sanitizer" not in text and "runtime error:" not in text, text
        for secret in self.login.idp.secrets:
            assert secret not in text, text
            assert urllib.parse.quote(secret, safe="") not in text, text
        assert self.proc.returncode == status, (self.proc.returncode, text)
        if status != OK and not left:
            assert self.login.files() == []
        return text


@pytest.fixture
def login(haul, idp):
    """Five seconds of the program's are one of ours."""
    def make(*without, **traits):
        traits.setdefault("interval", 0)
        return Login(haul, idp(**traits), *without)
    with Clock(5) as c:
        haul.env.update(c.env)
        yield make


@pytest.fixture
def clock():
    with Clock(10) as c:
        yield c


# ---- a code for another device ----

def test_by_device(login):
    x = login()
    text = x.run()
    code = x.idp.asked("device")[0].answer["user_code"]
    assert code in text
    assert x.idp.url("enter") in text
    assert x.idp.asked("device")[0].params == {
        "client_id": idp_module.CLIENT, "scope": idp_module.SCOPE}
    assert "Logged in." in text
    assert "warning" not in text
    x.check()
    assert not x.idp.asked("auth")


def test_until_the_code_was_entered(login, clock):
    x = login(enter=True)
    p = x.start(env=clock.env)
    x.idp.wait(3, "token")
    assert not x.files()
    x.idp.enter(p.wait(r"WDJB-\d+").group())
    p.end()
    x.check()


@pytest.mark.parametrize("interval, gap", [(3, 3), (None, 5), (0, 1)])
def test_as_often_as_the_provider_says(login, clock, interval, gap):
    x = login(interval=interval, pending=2)
    x.run(env=clock.env)
    at = [r.at for r in x.idp.asked("token")]
    assert all(b - a >= gap / 10 for a, b in zip(at, at[1:]))


def test_slower_when_it_is_told_so(login, clock):
    x = login(interval=1, slow_down=2, pending=1)
    x.run(env=clock.env)
    at = [r.at for r in x.idp.asked("token")]
    gaps = [b - a for a, b in zip(at, at[1:])]
    # it stays slow: RFC 8628 3.5
    assert all(g >= want / 10 for g, want in zip(gaps, (1, 6, 11)))
    x.check()


def test_the_code_expires(login, clock):
    x = login(enter=True, device_life=4)
    text = x.run(env=clock.env, status=NOPERM)
    assert "was not entered in time" in text
    assert x.idp.count("token") <= 4


def test_the_provider_says_that_it_has_expired(login):
    text = login(device="expired").run(status=NOPERM)
    assert "the code has expired (expired_token)" in text


def test_it_is_declined(login):
    text = login(device="denied").run(status=NOPERM)
    assert "the login was declined (access_denied)" in text


def test_a_network_that_is_away_for_a_moment(login, clock):
    x = login(trouble={"token": [503, "close", 429, None]})
    x.run(env=clock.env)
    x.check()


def test_a_provider_that_stays_away(login, clock):
    x = login(device_life=20, trouble={"token": 503})
    text = x.run(env=clock.env, status=TEMPFAIL)
    assert "could not be asked" in text and "HTTP 503" in text


@pytest.mark.parametrize("endpoint", ["device", "token"])
@pytest.mark.parametrize("what, status", [
    ("html", PROTOCOL), ("json", PROTOCOL), ("big", PROTOCOL),
    (b"[]", PROTOCOL), (b"", PROTOCOL), ("redirect", CONFIG),
    ((200, b'{"access_token": "a\\nb", "device_code": "\\u001b[2J"}'),
     PROTOCOL)])
def test_wrong_answers(login, endpoint, what, status):
    x = login(trouble={endpoint: what})
    text = x.run(status=status)
    assert "\x1b" not in text


@pytest.mark.parametrize("what, status", [
    (503, TEMPFAIL), (429, TEMPFAIL), (404, CONFIG), ("close", UNAVAILABLE),
    ("cut", UNAVAILABLE)])
def test_no_code(login, what, status):
    login(trouble={"device": what}).run(status=status)


@pytest.mark.parametrize("way", ["device", "paste"])
def test_a_provider_that_hangs(login, way):
    x = login(trouble={"device": "hang", "token": "hang"})
    with Clock(30) as c:
        p = x.start("--" + way, env=c.env, stdin=subprocess.PIPE)
        if way == "paste":
            p.say(x.idp.browser(p.url()) + "\n")
        assert "timed out" in p.end(status=UNAVAILABLE)


# ---- a URL to be pasted ----

def paste(x, change=lambda url: url, end="\n", **kw):
    """Logs in, and pastes what becomes of where the browser was sent to."""
    p = x.start("--paste", stdin=subprocess.PIPE)
    return p.end(stdin=change(x.idp.browser(p.url())) + end, **kw)


def test_nobody_else_hears_the_code(login):
    """Whoever logs in on this machine: the port is not free for others."""
    x = login()
    p = x.start("--paste", stdin=subprocess.PIPE)
    port = urllib.parse.urlsplit(x.idp.browser(p.url())).port
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError):
            s.bind(("127.0.0.1", port))
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    p.end(status=TEMPFAIL)


def test_by_pasting(login):
    x = login()
    text = paste(x)
    x.check()
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(
        re.search(r"\n    (https://\S+)\n", text).group(1)).query))
    assert asked["login_hint"] == USER
    assert asked["scope"] == idp_module.SCOPE
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", asked["redirect_uri"])
    (redeemed,) = x.idp.asked("token")
    assert idp_module.s256(redeemed.params["code_verifier"]) == \
        asked["code_challenge"]
    assert redeemed.params["code_verifier"] not in text


def test_where_the_client_is_registered_with(login):
    x = login()
    url = "https://localhost/some%20where?x=y"
    p = x.start("--paste", "--redirect", url, stdin=subprocess.PIPE)
    back = x.idp.browser(p.url())
    assert back.startswith(url)
    assert "cannot be reached" not in p.end(stdin=back + "\n")
    x.check()
    assert x.idp.asked("token")[0].params["redirect_uri"] == url


def test_nothing_is_used_twice(login):
    x = login()
    paste(x)
    paste(x)
    auth, token = x.idp.asked("auth"), x.idp.asked("token")
    for a, b in (auth, token):
        assert a.params.keys() == b.params.keys()
    for name in ("state", "code_challenge"):
        assert auth[0].params[name] != auth[1].params[name]
    assert token[0].params["code_verifier"] != \
        token[1].params["code_verifier"]


def test_the_provider_has_no_device_flow(login):
    x = login("device")
    p = x.start(stdin=subprocess.PIPE)
    p.end(stdin=x.idp.browser(p.url()) + "\n")
    x.check()


@pytest.mark.parametrize("change, end", [
    (lambda u: u, ""), (lambda u: u, "\r\n"),
    (lambda u: "  \n\n " + u + "  ", "\n"),
    (lambda u: u + "#_=_", "\n"),
    (lambda u: urllib.parse.urlsplit(u).query, "\n"),
    (lambda u: u + "&session_state=" + "x" * 20000, "\n")])
def test_however_it_was_pasted(login, change, end):
    x = login()
    paste(x, change, end)
    x.check()


def test_a_file_as_standard_input(login, tmp_path):
    (tmp_path / "in").write_text("no URL\n")
    with open(tmp_path / "in") as f:
        p = login().start("--paste", stdin=f)
        assert "no URL with a code" in p.end(status=PROTOCOL)


def other_state(url):
    return re.sub(r"state=[^&]*", "state=" + "x" * 43, url)


@pytest.mark.parametrize("change, words", [
    (other_state, "another login"),
    (lambda u: re.sub(r"state=[^&]*&", "", u), "no state"),
    (lambda u: re.sub(r"&code=.*", "", u), "no code"),
    (lambda u: re.sub(r"code=", "code=%0a", u), "damaged"),
    (lambda u: "garbage \x1b[2J", "not the URL"),
    (lambda u: "x" * 40000, "longer than")])
def test_the_wrong_thing_is_pasted(login, change, words):
    x = login()
    text = paste(x, change, status=PROTOCOL)
    assert words in text
    assert "\x1b" not in text
    assert not x.idp.asked("token")


def test_pasted_again_when_it_was_wrong(login):
    x = login()
    p = x.start("--paste", stdin=subprocess.PIPE)
    good = x.idp.browser(p.url())
    p.say(other_state(good) + "\n")
    p.wait("another login")
    p.end(stdin=good + "\n")
    x.check()


def test_not_for_ever(login):
    x = login()
    p = x.start("--paste", stdin=subprocess.PIPE)
    p.say("wrong\n" * 3)
    p.proc.wait(20 * SLOW)
    assert len(re.findall("not the URL", p.end(status=PROTOCOL))) == 3


def test_the_user_says_no(login):
    x = login(deny="access_denied")
    text = paste(x, status=NOPERM)
    assert "declined (access_denied: The user said no.)" in text
    assert not x.idp.asked("token")


def test_nothing_is_pasted(login):
    assert "nothing was pasted" in login().run("--paste", status=TEMPFAIL)
    p = login().start("--paste")  # /dev/null
    assert "nothing was pasted" in p.end(status=TEMPFAIL)


def test_a_code_that_was_used(login):
    x = login()

    def use(url):
        x.idp.codes.clear()
        return url
    assert "invalid_grant: no such code" in paste(x, use, status=NOPERM)


@pytest.mark.parametrize("what, status", [
    (503, TEMPFAIL), ("html", PROTOCOL), ("close", UNAVAILABLE)])
def test_no_tokens_for_the_code(login, what, status):
    paste(login(trouble={"token": what}), status=status)


# ---- a browser on this machine ----

def get(url):
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=20) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_by_listening(login):
    x = login()
    p = x.start("--listen")
    back = x.idp.browser(p.url())
    status, page = get(back)
    assert status == 200 and "goes on in the terminal" in page
    text = p.end()
    x.check()
    assert "Paste" not in text


def test_whoever_else_asks_does_no_harm(login):
    x = login()
    p = x.start("--listen")
    back = x.idp.browser(p.url())
    base = back.split("?")[0]
    assert get(base + "favicon.ico")[0] == 404
    assert "not the URL" in get(base)[1]
    assert "another login" in get(other_state(back))[1]
    assert "declined" in get(base + "?error=access_denied")[1]
    assert "declined" in get(base + "?error=access_denied&state=x")[1]
    assert not x.idp.asked("token")
    get(back)
    p.end()
    x.check()


def test_the_user_says_no_in_the_browser(login):
    x = login(deny="access_denied")
    p = x.start("--listen")
    assert "declined" in get(x.idp.browser(p.url()))[1]
    assert "declined (access_denied" in p.end(status=NOPERM)


@pytest.mark.parametrize("way", ["paste", "listen"])
def test_the_browser_does_not_come_back(login, way):
    with Clock(2000) as c:
        r, w = os.pipe()
        p = login().start("--" + way, env=c.env, stdin=r)
        os.close(r)
        text = p.end(status=TEMPFAIL)
        os.close(w)
    assert "did not come back in time" in text


# ---- a terminal ----

class Terminal:
    """What somebody sees and types."""

    def __init__(self, x, *args, columns=100, **kw):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 50, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave, self.seen = slave, b""
        self.p = Running(x, *args, stdin=slave, stdout=slave,
                         start_new_session=True, **kw)

    def wait(self, pattern, timeout=20):
        end = time.monotonic() + timeout * SLOW
        while True:
            m = re.search(pattern, self.seen.decode("utf-8", "replace"))
            if m:
                return m
            left = end - time.monotonic()
            assert left > 0, self.seen
            if select.select([self.master], [], [], min(left, 0.2))[0]:
                self.seen += os.read(self.master, 65536)

    def type(self, text):
        data = text.encode()
        while data:
            if select.select([self.master], [self.master], [], 10)[1]:
                data = data[os.write(self.master, data[:1000]):]
            if select.select([self.master], [], [], 0)[0]:
                self.seen += os.read(self.master, 65536)

    def url(self):
        return self.wait(r"\n    (https://\S+)\r\n").group(1)

    def drain(self):
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)

    def end(self, status=OK):
        done = threading.Event()

        def pump():
            while not done.wait(0.01):
                self.drain()
        t = threading.Thread(target=pump)
        t.start()
        try:
            self.p.end(status)
        finally:
            done.set()
            t.join()
        self.drain()
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.master)
        os.close(self.slave)
        return self.seen.decode("utf-8", "replace")


def test_a_long_url_on_a_terminal(login):
    x = login()
    t = Terminal(x, "--paste")
    url = x.idp.browser(t.url()) + "&session_state=" + "x" * 9000
    t.wait("Paste the URL: ")
    t.type(url + "\n")
    t.end()
    x.check()


def test_typing_is_mended(login):
    x = login()
    t = Terminal(x, "--paste")
    url = x.idp.browser(t.url())
    t.wait("Paste the URL: ")
    t.type(url + "ab\x7f\x7f\n")
    t.end()
    x.check()


def test_the_end_of_input_on_a_terminal(login):
    t = Terminal(login(), "--paste")
    t.wait("Paste the URL: ")
    t.type("\x04")
    t.end(TEMPFAIL)


def test_interrupted_on_a_terminal(login):
    t = Terminal(login(), "--paste")
    t.wait("Paste the URL: ")
    until(lambda: termios.tcgetattr(t.slave) != t.before)
    t.p.proc.send_signal(signal.SIGINT)
    t.end(TEMPFAIL)
    assert "interrupted" in t.p.text()


UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm"}


def test_a_qr_code_on_a_terminal(login):
    t = Terminal(login(), env=UTF8)
    text = t.end()
    rows = [x for x in text.split("\r\n") if "\x1b[30;107m" in x]
    if not rows and not os.path.exists(
            "/usr/lib/%s-linux-gnu/libqrencode.so.4" % os.uname().machine):
        pytest.skip("no libqrencode")
    plain = [re.sub("\x1b.*?m", "", r)[4:] for r in rows]
    assert len({len(r) for r in plain}) == 1
    # the upper two of the three corners by which it is found
    assert plain[1][2:9] == plain[1][-9:-2] == "\u2588\u2580\u2580" \
        "\u2580\u2580\u2580\u2588"
    assert len(plain) == (len(plain[0]) + 1) // 2


@pytest.mark.parametrize("env, columns", [
    ({"LC_ALL": "C", "TERM": "xterm"}, 100),
    ({"LC_ALL": "C.UTF-8", "TERM": "dumb"}, 100), (UTF8, 30)])
def test_no_qr_code_where_it_cannot_be_shown(login, env, columns):
    assert "\x1b" not in Terminal(login(), env=env, columns=columns).end()


# ---- what is kept, and what is not told ----

def test_the_file(login):
    x = login()
    x.run(umask=0)
    (path,) = x.files()
    for p, mode in ((path, 0o600), (x.directory, 0o700)):
        st = os.lstat(p)
        assert stat.S_IMODE(st.st_mode) == mode
        assert st.st_uid == os.getuid()
    for name in os.listdir(x.directory):
        assert os.lstat(os.path.join(x.directory, name)).st_mode & 0o77 == 0


def test_the_next_login_takes_its_place(login):
    x = login()
    x.run()
    first = x.text()
    x.run()
    assert x.text() != first
    x.check()
    assert x.idp.asked("token")[0].answer["refresh_token"] not in x.text()


def test_a_failed_login_leaves_the_tokens(login):
    x = login()
    x.run()
    first = x.text()
    x.idp.traits["device"] = "denied"
    x.run(status=NOPERM, left=True)
    assert x.text() == first


class Opened:
    """Counts how often a file is opened."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self.fd, path.encode(), 0x20) >= 0
        self.count = 0

    def wait(self, n):
        def enough():
            with contextlib.suppress(BlockingIOError):
                # those that were not read yet are one: never too many
                self.count += len(os.read(self.fd, 65536)) // 16
            return self.count >= n
        until(enough, 20, "opening a file")

    def close(self):
        os.close(self.fd)


def test_waits_for_who_refreshes_them(login):
    x = login()
    x.run()
    first = x.text()
    (lock,) = [os.path.join(x.directory, f) for f in os.listdir(x.directory)
               if os.path.join(x.directory, f) not in x.files()]
    with open(lock, "r+") as f:
        fcntl.fcntl(f, 37, struct.pack("hhqqi", 1, 0, 0, 0, 0))  # F_OFD_SETLK
        opened = Opened(lock)
        p = x.start()
        opened.wait(1)  # can it be opened at all?
        x.idp.wait(2, "token")
        opened.wait(3)
        assert x.text() == first
        opened.close()
    p.end()
    x.check()


@pytest.mark.skipif(os.getuid() != 0, reason="not root")
def test_root_logs_in_for_a_service(haul, idp, certs):
    """Who reads the tokens has them, and root writes nothing as root where
    somebody else may write."""
    with tempfile.TemporaryDirectory(prefix="mh-login-") as d:
        os.chmod(d, 0o755)
        haul.state = haul.globals["state-dir"] = os.path.join(d, "state")
        os.mkdir(haul.state, 0o700)
        os.chown(haul.state, 65534, 65534)
        shutil.copy(os.path.join(certs, "ca.pem"), d)
        seen, pids = [], []
        x = Login(haul, idp(interval=0, trouble={"token": lambda r: seen.extend(
            tuple(rights(pid)["Uid"]) for pid in family(pids[0]))}),
            ca_file=os.path.join(d, "ca.pem"))
        os.chmod(os.path.join(d, "ca.pem"), 0o644)
        p = x.start()
        pids.append(p.proc.pid)
        p.end()
        assert len(seen) > 1 and set(seen) == {("65534", ) * 4}
        (path,) = x.files()
        for p in (path, x.directory):
            assert os.lstat(p).st_uid == 65534
        x.check()


@pytest.mark.skipif(os.getuid() != 0, reason="not root")
@pytest.mark.parametrize("kind", ["value", "file", "file of root"])
def test_root_logs_in_for_a_user(idp, certs, kind):
    """For an account in a user's own file. His files are read as him, and the
    tokens are no file of his."""
    people = People()
    try:
        haul = haul_module.Haul(people.dir)
        haul.prefix = people.prefix
        haul.globals["users"] = ["alice"]
        haul.write_conf()
        with open(os.path.join(certs, "ca.pem")) as f:
            ca = people.file("alice", "ca.pem", f.read())
        x = Login(Own(people, "alice"), idp(interval=0, secret="s3cr3t"))
        x.configure(ca_file=ca)
        if kind != "value":
            path = people.file("alice", "client", "s3cr3t\n")
            x.configure(ca_file=ca, client_secret=None,
                        client_secret_file=path)
        x.haul = haul
        if kind == "file of root":
            os.chown(path, 0, 0)
            text = x.run(account="alice/a", status=CONFIG)
            assert "client-secret-file" in text
            assert x.idp.requests == []
            return
        seen, pids = [], []
        x.idp.traits["trouble"]["token"] = lambda r: seen.extend(
            rights(pid)["Uid"][0] for pid in family(pids[0]))
        p = x.start(account="alice/a")
        pids.append(p.proc.pid)
        p.end()
        assert set(seen) == {"0", str(ALICE)}
        x.check()
        for path in (*x.files(), x.directory):
            assert os.lstat(path).st_uid == 0
        x.run(account="alice/b", status=USAGE, left=True)
    finally:
        people.close()


def test_no_place_for_tokens(login):
    x = login()
    with open(x.haul.state, "w"):
        pass
    p = x.start()
    assert x.haul.state in p.end(status=TEMPFAIL)
    assert x.idp.requests == []


@pytest.mark.parametrize("way", ["device", "paste"])
@pytest.mark.parametrize("kind", ["value", "file"])
def test_a_client_secret(login, tmp_path, way, kind):
    secret = "s/ecret+&= " + "x" * 30
    path = tmp_path / "client.secret"
    path.write_text(secret + "\n")
    path.chmod(0o600)
    x = login(secret=secret)
    x.idp.secrets.append(secret)
    if kind == "file":
        x.configure(client_secret=None, client_secret_file=path)
    text = x.run() if way == "device" else paste(x)
    x.check()
    assert secret not in x.text()
    assert secret not in text


def test_a_wrong_client_secret(login):
    x = login(secret="right")
    x.configure(client_secret="wrong" * 5)
    text = x.run(status=CONFIG)
    assert "client-secret" in text and "AADSTS7000215" in text
    assert "wrongwrong" not in text


@pytest.mark.parametrize("way", ["device", "paste"])
def test_no_secret_is_seen_by_others(login, way):
    """Neither in arguments nor in the environment of any process of ours,
    while the provider is being asked."""
    secret = "the-client-secret-0123456789"
    seen, pids = [], []

    def look(r):
        for pid in family(pids[0]):
            for name in ("cmdline", "environ"):
                try:
                    with open("/proc/%d/%s" % (pid, name), "rb") as f:
                        seen.append(f.read())
                except OSError:
                    pass

    x = login(secret=secret, trouble={"token": look, "device": look})
    r, w = os.pipe()
    p = x.start("--" + way, stdin=r)
    os.close(r)
    pids.append(p.proc.pid)
    if way == "paste":
        os.write(w, (x.idp.browser(p.url()) + "\n").encode())
    p.end()
    os.close(w)
    x.check()
    assert any(b"https" in s for s in seen)
    hidden = x.idp.secrets + [secret] + [
        r.params["code_verifier"] for r in x.idp.asked("token")
        if "code_verifier" in r.params]
    for s in seen:
        for one in hidden:
            assert one.encode() not in s
            assert urllib.parse.quote(one, safe="").encode() not in s


def test_no_offline_access(login):
    x = login(refresh=False, life=3600)
    text = x.run()
    assert "this login ends after 1h 00m" in text
    assert "no offline access" in text
    x.check()


def test_less_than_was_asked_for(login):
    x = login(scope="profile")
    text = x.run()
    assert 'the scope "mail" was not granted' in text
    assert "offline_access" not in text


# ---- a daemon that waits for it ----

@pytest.fixture
def waiting(fake, haul, idp):
    """An account of a server that knows the provider's tokens; nobody has
    logged in to it. The daemon's clock is a real one."""
    def make():
        provider = idp(interval=0, enter=True)
        f = fake("imap", tls="implicit", oauth2="idp", password=None,
                 traits=dict(tokens=provider))
        x = Login(haul, provider, account=False)
        return f, x
    return make


def log_in(x):
    with Clock(10) as c:
        return log_in_by(x, c.env)


def log_in_by(x, env):
    p = x.start(env=env)
    x.idp.enter(p.wait(r"WDJB-\d+").group(), USER)
    return p.end()


def test_a_daemon_goes_on_with_it(waiting, daemon):
    f, x = waiting()
    f.box.add(corpus.message(1))
    with daemon() as d:
        d.wait_state("a", "secret")
        assert not f.sessions
        assert "The daemon goes on" in log_in(x)
        f.idler()
        d.wait_state("a", "watching")
        until(lambda: f.maildir.count() == 1, 20, "mail")
    check(f.maildir, f.box.octets())


def test_a_paused_account_stays_so(waiting, daemon):
    f, x = waiting()
    with daemon() as d:
        d.wait_state("a", "secret")
        d.command("pause", "a")
        assert "The daemon" not in log_in(x)
        x.check()
        assert d.account("a")["state"] == "paused"
        d.command("resume", "a")
        f.idler()


def test_a_login_that_was_withdrawn_is_mended(waiting, daemon):
    f, x = waiting()
    log_in(x)
    x.idp.revoke(USER)
    with daemon() as d:
        d.wait_log("invalid_grant|refused|mailhaul login")
        f.server.wait_for(lambda: all(s.p.ended for s in f.sessions))
        log_in(x)
        f.idler()
        d.wait_state("a", "watching")


# ---- whom it trusts, and what it needs ----

def test_a_wrong_certificate(login, tmp_path):
    x = login()
    dovecot.make_certs(str(tmp_path / "other"))
    x.configure(ca_file=str(tmp_path / "other" / "ca.pem"))
    assert "certificate" in x.run(status=NOPERM).lower()
    assert x.idp.requests == []


def test_a_certificate_for_another_name(haul, idp, tmp_path):
    d = str(tmp_path / "named")
    dovecot.make_certs(d, "DNS:idp.example.org")
    x = Login(haul, idp(certs=d))
    x.run(status=NOPERM)
    assert x.idp.requests == []


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_by_the_account_s_proxy(login, kind):
    """Which is also who knows where the provider is."""
    x = login()
    at = ("localhost", x.idp.port)
    proxy = Proxy(kind, names={at: ("127.0.0.1", x.idp.port)}, user="me",
                  password="p@ss")
    try:
        x.haul.change(proxy=proxy.url("me", "p%40ss"))
        x.configure()
        assert "p@ss" not in x.run()
    finally:
        proxy.stop()
    x.check()
    assert proxy.asked == [at] * 2
    assert proxy.logins == [("me", "p@ss")] * 2
    assert not proxy.errors


def test_nobody_is_there(login):
    x = login()
    x.idp.stop()
    x.run(status=UNAVAILABLE)


@pytest.mark.parametrize("without, args, status, words", [
    (("device", ), ["--device"], CONFIG, "--paste"),
    (("auth", ), ["--paste"], CONFIG, "--device"),
    (("auth", ), ["--listen"], CONFIG, "--device")])
def test_a_way_that_the_provider_does_not_have(
        login, without, args, status, words):
    x = login(*without)
    assert words in x.run(*args, status=status)
    assert x.idp.requests == []


def test_wrong_usage(haul):
    haul.account("work", host="localhost", port=1, user=USER,
                 password="a-Pa55word")
    r = haul.run("work", command="login")
    assert r.status == CONFIG and "oauth2" in r.text
    r = haul.run("wrok", command="login")
    assert r.status == USAGE and 'did you mean "work"' in r.text
    for args in ((), ("work", "work"), ("--wrong", "work"),
                 ("--redirect=http://localhost/", "work"),
                 ("--listen", "--redirect=http://localhost/", "work")):
        r = haul.run(*args, command="login")
        assert r.status == USAGE and "usage" in r.text


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", ["device", "paste", "listen"])
def test_interrupted(login, way, signo):
    x = login(enter=True)
    p = x.start("--" + way, stdin=subprocess.PIPE)
    p.wait("Waiting|Paste")
    p.proc.send_signal(signo)
    p.proc.wait(20 * SLOW)
    assert "interrupted: nothing was changed" in p.end(status=TEMPFAIL)
    assert family(p.proc.pid) == [p.proc.pid]
