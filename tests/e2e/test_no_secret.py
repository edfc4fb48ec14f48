# SPDX-License-Identifier: ISC
"""No secret is shown: not in arguments, environments or names of processes,
not in what is printed, however much that is, not in errors that repeat what a
server said, not in files that others may read, and not in a core."""

import base64
import json
import os
import secrets
import subprocess
import urllib.parse

import pytest

import corpus
import dovecot_sasl
import model
from clock import Clock
from daemon import Daemon
from haul import CONFIG, NOPERM, OK, UNAVAILABLE, until
from mda import script
from proxy import Proxy, Tunnel
from test_login import Login, Running
from test_oauth import expire, log_in, saved, token_file
from watch_secrets import (Watch, children, core_limit, files_of, forms,
                           makes_no_core)

ROLES = ["mailhaul: engine", "mailhaul: deliverer"]

# It is in a child's own hands what it shows of itself.
SHOW = ('(tr "\\0" "\\n" </proc/$$/environ; tr "\\0" "\\n" </proc/$$/cmdline; '
        "ls -l /proc/$$/fd; grep core /proc/$$/limits) >%s.$$; ")


def new(kind):
    """A secret: some of its octets must be quoted or encoded."""
    a, b, c = (secrets.token_hex(5) for _ in range(3))
    return '%s-%s"&%s%%+%s' % (kind, a, b, c)


def put(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return str(path)


@pytest.fixture
def talkative(haul):
    haul.globals["log-level"] = "trace"
    haul.write_conf()
    return haul


def run(haul, watch, *args, status=OK, **kw):
    r = haul.fetch(*args, status=status, **kw)
    watch.printed(r.out, r.err)
    return r


def shown(directory):
    """What the children said of themselves, by SHOW: all of it."""
    out = []
    for name in os.listdir(str(directory)):
        if name.startswith("shown."):
            with open(os.path.join(str(directory), name)) as f:
                out.append(f.read())
    return out


def check_child(text):
    """Descriptors 0 to 2, and no core."""
    fds = [line.split(" -> ")[0].split()[-1]
           for line in text.splitlines() if " -> " in line]
    assert sorted(fds) == ["0", "1", "2"], text
    limit, = [x for x in text.splitlines() if x.startswith("Max core")]
    assert limit.split()[4:6] == ["0", "0"]


# ---- the look-out itself ----

def test_the_look_out_sees(tmp_path):
    texts = {"first": new("first"), "second": new("second")}
    w = Watch(texts, [tmp_path / "holder"])
    for form in forms(texts["first"]):
        assert w.whose(b"said: " + form + b".") == {"first"}, form
    assert not w.whose(b'first-"&%+ second- first')
    script(tmp_path / "child", "echo; read x")
    put(tmp_path / "holder", texts["first"], 0o640)
    put(tmp_path / "other", texts["second"].encode().hex())
    with pytest.raises(AssertionError) as e, w:
        with subprocess.Popen(
                ["sh", str(tmp_path / "child"), texts["first"]],
                env={"X": texts["second"]}, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as p:
            p.stdout.readline()
            w.wait(str(tmp_path / "child"))
            p.stdin.close()
        w.printed("nothing")
        w.files(tmp_path)
    said = str(e.value)
    for words in (texts["first"] + ": first", "child " + texts["first"] +
                  ": second", "holder may be read", "other: second"):
        assert words in said, said
    assert "output" not in said


# ---- passwords ----

@pytest.fixture(scope="module")
def users():
    return {name: new(name) for name in (
        "literal", "file", "command", "netrc", "pop")}


@pytest.fixture(scope="module")
def dovecot(users):
    d = dovecot_sasl.Dovecot()
    d.users_file("odd", "\n".join(
        "%s:{PLAIN.b64}%s" % (u, base64.b64encode(p.encode()).decode())
        for u, p in users.items()))
    yield d.start()
    d.stop()


def test_passwords(talkative, dovecot, users, account_on, tmp_path):
    """From each place, by each kind of mechanism."""
    haul = talkative
    haul.env["HOME"] = str(tmp_path)
    netrc = put(tmp_path / ".netrc", 'machine localhost login netrc '
                'password "%s"\n' % users["netrc"].replace('"', '\\"'))
    path = put(tmp_path / "password", users["file"] + "\n")
    tool = put(tmp_path / "of-the-tool", users["command"])
    holders = [haul.conf, path, netrc, tool]

    def account(user, protocol="imap", auth="auto", **options):
        account_on(dovecot, protocol, name=user, user=user, auth=auth,
                   **{"password": None, **options})
    account("literal", password=users["literal"], auth="plain")
    account("file", password_file=path, auth="scram-sha-256")
    account("command", auth="cram-md5", password_command=[
        "/bin/sh", "-c", SHOW % (tmp_path / "shown") + "cat " + tool])
    account("netrc", password_netrc=True, auth="login")
    account("pop", "pop3", password=users["pop"], auth="plain")
    with Watch(users, holders) as w:
        run(haul, w)
        run(haul, w, "--online", command="check")
        run(haul, w, "literal", command="list")
        with Daemon(haul) as d:
            for name in users:
                d.wait_log("^%s: logged in by " % name)
            for name in ROLES:
                w.wait(name)
        w.printed(d.log.text())
        w.files(tmp_path)
    for text in shown(tmp_path):
        check_child(text)
    assert len(shown(tmp_path)) == 3


def test_who_reads_the_configuration_leaves_no_core(haul, fake):
    """Also where nothing is done with the passwords in it."""
    fake("imap", password=new("secret"))
    with Daemon(haul), haul.start("--watch", command="status") as p:
        p.stdout.readline()
        assert core_limit(p.pid) == ["0", "0"]
        p.terminate()
        p.communicate()


def test_while_it_works_nobody_leaves_a_core(fake, talkative, tmp_path):
    """And nothing of it has the files with passwords open."""
    secret = new("secret")
    path = put(tmp_path / "password", secret)
    f = fake("imap", password=None, password_file=path,
             traits=dict(password=secret))
    f.box.add(corpus.message(1))
    with Watch({"password": secret}, [path]) as w:
        with Daemon(talkative) as d:
            f.idler()
            d.wait_mail()
            pids = [d.proc.pid, *children(d.proc.pid)]
            assert len(pids) == 3
            assert all(makes_no_core(p) for p in pids)
            w.printed(d.command("status").text,
                      d.command("status", "--json").text)
        w.printed(d.log.text())
        w.files(tmp_path)


# ---- servers that repeat them ----

def b64(text):
    return base64.b64encode(text.encode()).decode()


def then(pattern, *answers):
    """When it is asked for that, it answers so: T is the tag, P the password,
    B its base64, A that of SASL PLAIN."""
    def say(s, password, line):
        tag = line.split(" ")[0]
        plain = b64("\0%s\0%s" % (model.USER, password))
        for text in answers:
            for short, long in (("<T>", tag), ("<P>", password),
                                ("<B>", b64(password)), ("<A>", plain),
                                ("<Q>", password.replace('"', '\\"'))):
                text = text.replace(short, long)
            s.say(text)
            if text.startswith("+ "):
                s.p.line()

    def make(password):
        def session(s, n):
            s.greet()
            line = s.run(pattern)
            if line is not None:
                say(s, password, line)
                s.run()
            return True
        return session
    return make


ECHOES = {
    "no": ("imap", "login", then("LOGIN *", "<T> NO what is <P>?")),
    "bad": ("imap", "login", then("LOGIN *", '<T> BAD LOGIN "u" "<Q>"')),
    "bye": ("imap", "login", then("LOGIN *", "* BYE <P>")),
    "code": ("imap", "login", then("LOGIN *", "<T> NO [X <P>] no")),
    "alert": ("imap", "login", then(
        "LOGIN *", "* OK [ALERT] <P> is weak", "<T> NO [ALERT] <P>")),
    "base64": ("imap", "plain", then("AUTHENTICATE *", "<T> NO <B>")),
    "plain": ("imap", "plain", then("AUTHENTICATE *", "<T> BAD <A>?")),
    "challenge": ("imap", "plain", then(
        "AUTHENTICATE *", "+ <B>", "<T> NO <P>")),
    "select": ("imap", "plain", then("SELECT *", "<T> NO no <P>")),
    "welcome": ("imap", "plain", then(
        "SELECT *", "* OK [ALERT] <P> is weak", "* BYE <B>")),
    "err": ("pop3", "login", then("PASS *", "-ERR what is PASS <P>?")),
    "err64": ("pop3", "plain", then("AUTH *", "-ERR [AUTH] <A>")),
    "stat": ("pop3", "plain", then("STAT*", "-ERR <P>", "-ERR <B>")),
    "uidl": ("pop3", "plain", then("UIDL*", "-ERR <P> <B>")),
    "unheard-of": ("pop3", "plain", then("STAT*", "what is <P>?")),
    "garbage": ("pop3", "plain", then("CAPA*", "-ERR", "<P> <B>")),
}


def test_servers_that_repeat_them(fake, talkative, tmp_path):
    haul, texts = talkative, {}
    for name, (protocol, auth, make) in ECHOES.items():
        texts[name] = new(name)
        fake(protocol, make(texts[name]), name=name, auth=auth,
             password=texts[name], traits=dict(password=texts[name]))
    tell = script(tmp_path / "tell", "env >%s/told.$$" % tmp_path)
    haul.globals["notify-command"] = [tell]
    haul.write_conf()
    with Watch(texts, [haul.conf]) as w:
        r = run(haul, w, status=None)
        assert all("\n%s: " % name in "\n" + r.text for name in ECHOES)
        run(haul, w, "--online", command="check", status=None)
        run(haul, w, "--online", "--json", command="check", status=None)
        with Daemon(haul) as d:
            until(lambda: all(a.get("error") for a in d.status()["accounts"]),
                  20, "an error of each")
            w.printed(d.command("status", status=None).text,
                      d.command("status", "--json", status=None).text)
        w.printed(d.log.text())
        w.files(tmp_path)


# ---- tokens ----

def escaped(secret):
    return secret.replace('"', '\\"')


@pytest.fixture
def provider(idp):
    """An identity provider whose client has a secret. What it gives is known
    to w before anybody has it."""
    def make(w, **traits):
        client = w.add("client-secret", new("client"))
        i = idp(secret=client, **traits)
        i.new = lambda kind: w.add(kind, new(kind))
        i.text = i.section(client_secret=escaped(client))
        return i
    return make


def with_tokens(haul, fake, i, w, *names, **options):
    """Accounts whose tokens have expired."""
    haul.sections = [i.text]
    out = []
    for name in names:
        out.append(fake("imap", tls="implicit", name=name, password=None,
                        oauth2="idp", traits=dict(tokens=i), **options))
        log_in(haul, i, name)
        expire(haul, i, name)
        w.holders.add(os.path.realpath(token_file(haul, name)))
    return out


def test_tokens_that_are_refreshed(talkative, fake, provider, tmp_path):
    haul = talkative
    with Watch({}, [haul.conf]) as w:
        i = provider(w)
        f, = with_tokens(haul, fake, i, w, "a")
        seen = []

        def look(r):
            """The process that asks waits for us meanwhile."""
            w.wait("mailhaul: https")
            pid, = w.pids("mailhaul: https")
            seen.append((makes_no_core(pid), [
                x for fd, x in files_of(pid).items()
                if fd > 2 and x.startswith("/")]))
        i.traits["trouble"]["token"] = look
        before = saved(haul)["refresh_token"]
        with Daemon(haul) as d:
            f.idler()
            w.printed(d.command("status", "--json").text)
        assert seen == [(True, [])]
        assert saved(haul)["refresh_token"] != before
        w.printed(d.log.text())
        assert "a: has a new token" in d.log.text()
        i.traits["trouble"].clear()
        run(haul, w, "--online", command="check")
        i.revoke(model.USER)
        expire(haul, i)
        run(haul, w, status=NOPERM)
        w.files(tmp_path)


# How a provider, a proxy or a server may repeat what it heard.
REPEATS = {
    "raw": lambda x: x,
    "percent": lambda x: urllib.parse.quote(x, safe=""),
    "base64": b64,
    "hex": lambda x: x.encode().hex(),
    "part": lambda x: x[:len(x) * 3 // 4],
}


def refuse(form, name):
    """What a provider says that repeats this parameter."""
    def answer(r):
        return 400, json.dumps({
            "error": "invalid_grant",
            "error_description": "what is " + form(r.params[name])}).encode()
    return answer


@pytest.mark.parametrize("what", ["refresh_token", "client_secret"])
def test_a_provider_that_repeats_them(
        talkative, fake, provider, tmp_path, what):
    haul = talkative
    with Watch({}, [haul.conf]) as w:
        i = provider(w)
        with_tokens(haul, fake, i, w, *REPEATS)
        answers = [refuse(form, what) for form in REPEATS.values()]
        i.traits["trouble"]["token"] = lambda r: answers.pop()(r)
        r = run(haul, w, status=NOPERM)
        assert r.text.count("invalid_grant") >= len(REPEATS)
        assert answers == []
        w.files(tmp_path)


@pytest.mark.parametrize("way, endpoint, names", [
    ("device", "token", ["device_code", "client_secret"]),
    ("device", "device", ["client_secret"]),
    ("paste", "token", ["code", "client_secret", "code_verifier"])])
def test_a_login(talkative, provider, tmp_path, way, endpoint, names):
    haul = talkative
    with Watch({}, [haul.conf]) as w, Clock(5) as c:
        haul.env.update(c.env)
        i = provider(w, enter=True, interval=0)
        x = Login(haul, i, client_secret=escaped(i.traits["secret"]))

        def start():
            p = Running(x, "--" + way, stdin=subprocess.PIPE)
            if way == "device":
                code = p.wait(r"WDJB-\d+").group()
                assert makes_no_core(p.proc.pid)
                i.enter(code)
            else:
                url = p.url()
                assert makes_no_core(p.proc.pid)
                p.say(i.browser(url) + "\n")
            return p
        w.printed(start().end())
        w.holders.add(os.path.realpath(token_file(haul)))
        assert x.tokens()["access_token"] == \
            i.asked("token")[-1].answer["access_token"]
        for name in names:
            def answer(r, name=name):
                w.add(name, r.params[name])
                return refuse(REPEATS["part"], name)(r)
            i.traits["trouble"][endpoint] = answer
            p = Running(x, "--" + way, stdin=subprocess.PIPE) \
                if endpoint == "device" else start()
            w.printed(p.end(status=NOPERM, left=True))
        w.files(tmp_path)


def test_a_server_that_repeats_a_token(talkative, fake, tmp_path):
    """In the JSON of its challenge, in each form."""
    texts = {name: new(name) for name in ["raw", "base64"]}
    for name, token in texts.items():
        said = REPEATS[name](token)
        challenge = b64(json.dumps({
            "status": "400", "schemes": "Bearer", "scope": said}))

        def session(s, n, challenge=challenge, said=said):
            s.greet()
            tag = s.run("AUTHENTICATE *").split(" ")[0]
            s.say("+ " + challenge)
            s.p.line()
            s.say("%s NO %s" % (tag, said))
            s.run()
            return True
        tool = put(tmp_path / name, token)
        fake("imap", session, name=name, tls="implicit", password=None,
             traits=dict(capa=model.Imap.CAPA + " AUTH=XOAUTH2"),
             token_command=["/bin/cat", tool])
    with Watch(texts, [tmp_path / n for n in texts]) as w:
        r = run(talkative, w, status=NOPERM)
        assert all(n + ": " in r.text for n in texts)
        run(talkative, w, "--online", command="check", status=NOPERM)
        w.files(tmp_path)


# ---- proxies ----

@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_the_password_of_a_proxy(talkative, fake, provider, tmp_path, kind):
    """On the way to the server, and to the provider of its tokens."""
    haul, password = talkative, new("proxy")
    quoted = urllib.parse.quote(password, safe="")
    with Watch({"proxy": password}, [haul.conf]) as w:
        i = provider(w)
        f, = with_tokens(haul, fake, i, w, "a", host="localhost")
        names = {("localhost", p): ("127.0.0.1", p)
                 for p in (f.server.port, i.port)}
        i.traits["trouble"]["token"] = lambda r: w.wait("mailhaul: https")
        with Proxy(kind, names, "alice", password) as proxy:
            haul.change(proxy=proxy.url("alice", quoted))
            run(haul, w)
            assert proxy.logins == [("alice", password)] * 2
            run(haul, w, "--online", command="check")
            proxy.password = "another"
            log_in(haul, i)
            run(haul, w, status=CONFIG)
            expire(haul, i)
            assert "oauth2 idp: " in run(haul, w, status=UNAVAILABLE).text
        w.files(tmp_path)


class Parrot(Proxy):
    """Refuses, and repeats how it was logged in to."""

    def http(self, s):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.octets(s, 1)
        basic, = [x.split(" ")[2] for x in head.decode().split("\r\n")
                  if x.startswith("Proxy-Authorization")]
        said = self.how(base64.b64decode(basic).decode().split(":")[1])
        text = "no " + (said or basic)
        self.say(s, ("HTTP/1.1 502 %s\r\nX-Why: %s\r\nContent-Length: %d\r\n"
                     "\r\n%s" % (text, text, len(text), text)).encode())
        s.recv(1)


@pytest.mark.parametrize("oauth2", [False, True])
def test_a_proxy_that_repeats_it(
        talkative, fake, provider, tmp_path, oauth2):
    haul = talkative
    hows = {**REPEATS, "header": lambda x: "",
            "cut": lambda x: b64("alice:" + x)[:30]}
    with Watch({}, [haul.conf]) as w:
        i = provider(w)
        proxies = []
        for name, how in hows.items():
            password = w.add(name, new(name))
            proxies.append(Parrot("http", how=how))
            if oauth2:
                f, = with_tokens(haul, fake, i, w, name)
            else:
                fake("imap", name=name)
            haul.change(name, proxy=proxies[-1].url(
                "alice", urllib.parse.quote(password, safe="")))
        r = run(haul, w, status=None)
        assert all(n + ": " in r.text for n in hows)
        assert [p.connects for p in proxies] == [1] * len(hows), r
        for p in proxies:
            p.stop()
            assert not p.errors
        w.files(tmp_path)


# ---- keys ----

def inside(pem):
    """Of a key: the digits in the middle, which are the private number."""
    digits = "".join(x for x in pem.splitlines() if "-----" not in x)
    return digits[48:88]


def test_the_key_of_a_certificate(talkative, fake, certs, tmp_path):
    with open(certs + "/server.key") as f:
        pem = f.read()
    half = pem[:len(pem) // 2]
    keys = {"whole": pem, "half": half,
            "none": pem.replace("PRIVATE KEY", "SECRET")}
    paths = {n: put(tmp_path / n, text) for n, text in keys.items()}
    for name, path in paths.items():
        fake("imap", name=name, tls="implicit",
             tls_cert=certs + "/server.pem", tls_key=path)
    with Watch({"key": inside(pem)}, [talkative.conf, *paths.values()]) as w:
        r = run(talkative, w, status=CONFIG)
        assert "half: " in r.text and "none: " in r.text
        assert "whole: connected" in r.text
        run(talkative, w, "--online", command="check", status=CONFIG)
        w.files(tmp_path)


# ---- programs ----

def test_what_programs_are_given(talkative, fake, provider, tmp_path):
    """Neither the secret of their own account, nor another's."""
    haul = talkative
    show = SHOW % (tmp_path / "shown")
    with Watch({}, [haul.conf]) as w:
        i = provider(w, life=None)
        token = i.tokens(model.USER)["access_token"]
        tool = put(tmp_path / "token", token)
        w.holders.add(tool)
        password = w.add("password", new("password"))
        tokens, options = dict(tokens=i), dict(tls="implicit", password=None)
        f = fake("imap", name="a", traits=tokens, **options, token_command=[
            "/bin/sh", "-c", show + "cat " + tool])
        g = fake("imap", name="b", password=password,
                 traits=dict(password=password), mda=[
                     "/bin/sh", "-c", show + "cat >/dev/null"])
        h = fake("pop3", name="c", tls="implicit", password=password,
                 traits=dict(password=password))
        t = Tunnel(tmp_path, h.server.port)
        haul.change("c", host="localhost", tunnel=[
            "/bin/sh", "-c", show + 'exec "$@"', "sh", *t.argv])
        fake("imap", name="d", password="wrong")
        haul.globals["notify-command"] = ["/bin/sh", "-c", show]
        haul.write_conf()
        for x in (f, g, h):
            x.box.add(corpus.message(1))
        with Daemon(haul) as d:
            d.wait_mail("a")
            d.wait_mail("c")
            d.wait_log("^b: .*delivered")
            # token, mda, tunnel, and what is told of d
            until(lambda: len(shown(tmp_path)) >= 4 and
                  all("Max core" in x for x in shown(tmp_path)))
        w.printed(d.log.text())
        w.files(tmp_path)
    for text in shown(tmp_path):
        check_child(text)


# ---- the configuration ----

WRONG = [
    'passwrod = "%s"', 'password = "%s\\n"', 'password = "%s" x',
    'password = {"%s", "x"}', 'password = "%s', "password = '%s'x'",
    'password = "%s"\n password = "%s"', 'password = "%s"\n netrc = "x"',
    'proxy = "socks5://alice:%s@"', 'proxy = "http://alice:%s@host:0"',
    'proxy = "ftp://alice:%s@host"', 'proxy = "http://alice%%:%s@host"',
    'proxy = "alice:%s@host:1"', 'proxy = "socks5://alice:%s"',
]


def test_mistakes_around_them(haul, tmp_path):
    secret = "s3cret-" + secrets.token_hex(12)
    with Watch({"it": secret}, [haul.conf]) as w:
        for text in WRONG:
            haul.write_conf(
                'account a {\n host = "h"\n user = "u"\n maildir = "/m"\n '
                "%s\n}\n" % text.replace("%s", secret).replace("%%", "%"))
            run(haul, w, command="check", status=CONFIG)
