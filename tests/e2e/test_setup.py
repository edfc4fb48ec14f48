# SPDX-License-Identifier: ISC
"""mailhaul setup: a section for an address, out of what mailhaul knows, what a
domain says by HTTPS, and the DNS. Nobody is asked who need not be; what
hostile domains say stays what it is."""

import contextlib
import os
import select
import shutil
import signal
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

import dovecot
import haul as haul_module
import idp
from nameserver import Island, Nameserver

PAGE = "autoconfig.example.org/mail/config-v1.1.xml"
KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"


def server(kind="imap", host="mail.example.org", port=993, tls="SSL",
           user="%EMAILADDRESS%", auth="password-cleartext"):
    return """<incomingServer type="%s"><hostname>%s</hostname>
<port>%s</port><socketType>%s</socketType><username>%s</username>
<authentication>%s</authentication></incomingServer>
""" % (kind, host, port, tls, user, auth)


def status_of(pid):
    """What the kernel says of a process; nothing, if it has gone."""
    try:
        with open("/proc/%d/status" % pid) as f:
            return dict(map(str.strip, x.split(":", 1)) for x in f)
    except OSError:
        return {}


def page(*servers):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version='
            '"1.1"><emailProvider id="example.org">%s</emailProvider>'
            '</clientConfig>\n' % "".join(servers)).encode()


class Web(contextlib.AbstractContextManager):
    """HTTPS for all of example.org on the island: .pages, by host and path,
    are octets, a status, or where it redirects to."""

    def __init__(self, island, certs):
        web = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def log_message(self, *args):
                pass

            def do_GET(self):
                host, path = self.headers["Host"], self.path
                web.asked.append(host + path)
                what = web.pages.get(host + path.split("?")[0], 404)
                body = what if isinstance(what, bytes) else b""
                self.send_response(what if isinstance(what, int) else
                                   301 if isinstance(what, str) else 200)
                if isinstance(what, str):
                    self.send_header("Location", what)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

        self.pages, self.asked = {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs + "/server.pem", certs + "/server.key")
        with island.visit():
            self.server = idp.Server(("127.0.0.1", 443), Handler)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __exit__(self, *what):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def names():
    """Certificates for the two hosts that are asked."""
    d = tempfile.mkdtemp(prefix="mailhaul-setup-")
    dovecot.make_certs(
        d, "DNS:example.org,DNS:autoconfig.example.org")
    yield d
    shutil.rmtree(d)


@pytest.fixture(scope="module")
def island(names):
    with Island() as i, Nameserver(i) as dns, Web(i, names) as web:
        i.dns, i.web = dns, web
        yield i


@pytest.fixture
def world(island, names, haul):
    """.dns, .web; .setup(...) runs it, .section(...) also checks it."""
    dns, web = island.dns, island.web
    dns.clear()
    dns.ad, dns.rcode, dns.raw = True, None, None
    dns.add("example.org", "A", "127.0.0.1")
    dns.add("autoconfig.example.org", "A", "127.0.0.1")
    web.pages.clear()
    web.asked.clear()
    haul.prefix = island.prefix
    haul.env = {"SSL_CERT_FILE": names + "/ca.pem"}

    class World:
        def __init__(self):
            self.dns, self.web = dns, web

        def setup(self, *args, status=haul_module.OK):
            r = haul.run(*args, command="setup")
            assert r.status == status, r
            if status != haul_module.OK:
                assert r.out == "", r
            return r

        def section(self, *args):
            """Pasted into a file it passes: the options of the section, and
            what was printed."""
            r = self.setup(*args)
            haul.write_conf(r.out)
            c = haul.run(command="check")
            assert c.status == haul_module.OK, (r, c)
            assert r.out.count("\naccount ") + r.out.startswith(
                "account ") == 1, r
            inside = r.out[r.out.index("\naccount "):]
            options = {}
            for line in inside.splitlines():
                if " = " in line and not line.strip().startswith("#"):
                    name, value = line.split("=", 1)
                    options[name.strip()] = value.strip().strip('"')
            return options, r.out

    return World()


# ---- nobody is asked ----

@pytest.mark.parametrize("address, options", [
    ("alice@gmail.com", {"host": "imap.gmail.com"}),
    ("alice@GoogleMail.com", {"host": "imap.gmail.com"}),
    ("alice@outlook.com", {"host": "outlook.office365.com",
                           "oauth2": "microsoft"}),
    ("alice@icloud.com", {"host": "imap.mail.me.com", "user": "alice"}),
    ("alice@qq.com", {"host": "imap.qq.com"}),
    ("alice@proton.me", {"host": "127.0.0.1", "port": "1143",
                         "tls": "starttls"}),
])
def test_a_provider_that_is_known(world, address, options):
    o, text = world.section(address)
    assert options.items() <= o.items(), text
    assert o["protocol"] == "imap"
    assert world.dns.asked == world.web.asked == []


def test_pop3_where_it_is_known(world):
    o, _ = world.section("--pop3", "alice@web.de")
    assert (o["protocol"], o["host"]) == ("pop3", "pop3.web.de")
    o, _ = world.section("--pop3", "alice@icloud.com")
    assert o["protocol"] == "imap"
    assert world.dns.asked == world.web.asked == []


def test_a_provider_without_either(world):
    r = world.setup("alice@tuta.com", status=haul_module.UNAVAILABLE)
    assert "Tuta has neither IMAP nor POP3" in r.err
    assert world.dns.asked == world.web.asked == []


@pytest.mark.parametrize("args, words", [
    (["alice"], 'has no "@"'), (["@example.org"], 'has no "@"'),
    (["alice@"], "is empty"), (["alice@b\u00fccher.example"], "xn--"),
    (["alice@[192.0.2.1]"], "brackets"), (["alice@::1"], "not a name"),
    (["a@b c"], "blank"), (["a@b\n"], "control character"),
    (["alice@example.org/x"], "URL"), ([], "usage:"),
    (["a@example.org", "b@example.org"], "usage:")])
def test_what_is_no_address(world, args, words):
    r = world.setup(*args, status=haul_module.USAGE)
    assert words in r.err, r
    assert world.dns.asked == world.web.asked == []


# ---- by HTTPS ----

def test_autoconfig(world):
    world.web.pages[PAGE] = page(
        server("pop3", "pop.example.org", 995),
        server("imap", "a.example.org", 143, "STARTTLS"),
        server("imap", "b.example.net", 1993, user="%EMAILLOCALPART%"))
    o, text = world.section("alice+x@example.org")
    assert o == {"protocol": "imap", "host": "b.example.net", "port": "1993",
                 "user": "alice+x", "maildir": "~/Maildir"}
    assert text.startswith("# found at https://" + PAGE), text
    assert PAGE + "?emailaddress=alice%2Bx%40example.org" in world.web.asked
    o, _ = world.section("--pop3", "alice@example.org")
    assert (o["protocol"], o["host"], o["user"]) == \
        ("pop3", "pop.example.org", "alice@example.org")


def test_autoconfig_with_starttls_and_oauth2_alone(world):
    world.web.pages[PAGE] = page(
        server("imap", "a.example.org", 143, "plain"),
        server("imap", "a.example.org", 143, "STARTTLS", auth="OAuth2"))
    o, text = world.section("alice@example.org")
    assert o["tls"] == "starttls" and "port" not in o, text
    assert "it takes OAuth2" in text and "password" not in text


def test_the_well_known_place(world):
    world.web.pages[KNOWN] = page(server())
    o, text = world.section("alice@example.org")
    assert o["host"] == "mail.example.org"
    assert text.startswith("# found at https://" + KNOWN), text


def test_it_follows_to_other_https(world):
    world.web.pages[PAGE] = "https://example.org/moved"
    world.web.pages["example.org/moved"] = page(server())
    o, _ = world.section("alice@example.org")
    assert o["host"] == "mail.example.org"


def test_pop3_alone_where_imap_was_wanted(world):
    world.web.pages[PAGE] = page(server("pop3", "pop.example.org", 995))
    o, _ = world.section("alice@example.org")
    assert o["protocol"] == "pop3"


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><clientConfig>&c;
</clientConfig>"""

HOSTILE = {
    "entities": (LAUGHS, "document type"),
    "html": (b"<!DOCTYPE html><html></html>", "document type"),
    "broken": (page(server())[:-20], "no XML"),
    "garbage": (bytes(range(256)) * 20, "no XML"),
    "large": (b" " * (1 << 20), "more than"),
    "other": (b"<config/>", "<clientConfig>"),
    "clear": (page(server(tls="plain")), "no server with TLS"),
    "host": (page(server(host="a&quot;\n}\naccount x {")), "no server for us"),
    "placeholder": (page(server(user="%REALNAME%")), "no server for us"),
    "port": (page(server(port="993\n tls = none")), "no server for us"),
    "to http": ("http://example.org/x", None),
    "to a file": ("file:///etc/passwd", None),
    "for ever": ("https://" + PAGE, None),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_page_that_is_not_good(world, what):
    bad, words = HOSTILE[what]
    world.web.pages[PAGE] = world.web.pages[KNOWN] = bad
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    line = [x for x in r.err.splitlines() if "https://" + PAGE in x]
    assert len(line) == 1 and (words is None or words in line[0]), r
    assert "root:" not in r.text


def test_the_next_place_is_looked_at(world):
    world.web.pages[PAGE] = world.web.pages[KNOWN] = LAUGHS
    world.dns.add("_imaps._tcp.example.org", "SRV",
                  (0, 0, 993, "imap.example.org"))
    o, _ = world.section("alice@example.org")
    assert o["host"] == "imap.example.org"
    world.web.pages[KNOWN] = page(server())
    o, _ = world.section("alice@example.org")
    assert o["host"] == "mail.example.org"


@pytest.mark.parametrize("user", [
    'a"} account b { password = "x', "a\\", "a\\\"\\", "${HOME}", "{}#/*",
    "a'b", "m\u00fcller", "a = b"])
def test_a_hostile_user_is_a_value(world, user):
    quoted = user.replace("&", "&amp;").replace("<", "&lt;")
    world.web.pages[PAGE] = page(server(user=quoted))
    _, text = world.section("alice@example.org")
    escaped = user.replace("\\", "\\\\").replace('"', '\\"')
    assert '    user     = "%s"\n' % escaped in text
    assert text.count("{") == text.count("}") or "{" in user


@pytest.mark.parametrize("user", ["a&#10;b", "a&#27;[2J", "a&#x202e;b"])
def test_a_user_with_signs_that_are_none(world, user):
    world.web.pages[PAGE] = page(server(user=user))
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    assert "\x1b" not in r.text and "\u202e" not in r.text


def test_a_certificate_of_somebody_else(world, haul, certs):
    world.web.pages[PAGE] = page(server())
    haul.env["SSL_CERT_FILE"] = certs + "/ca.pem"
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    assert "certificate" in r.err
    assert world.web.asked == []


# ---- by the DNS ----

def test_srv(world):
    world.dns.add("_imaps._tcp.example.org", "SRV",
                  (20, 0, 993, "second.example.org"),
                  (10, 0, 1993, "first.example.org"))
    world.dns.add("_imap._tcp.example.org", "SRV",
                  (0, 0, 143, "starttls.example.org"))
    o, text = world.section("alice@example.org")
    assert o == {"protocol": "imap", "host": "first.example.org",
                 "port": "1993", "user": "alice@example.org",
                 "maildir": "~/Maildir"}
    assert text.startswith(
        "# found in the DNS, at _imaps._tcp.example.org\n"), text
    assert "not signed" not in text
    assert world.dns.of("TLSA") == []


def test_srv_says_that_there_is_none(world):
    world.dns.add("_imaps._tcp.example.org", "SRV", (0, 0, 0, ""))
    world.dns.add("_imap._tcp.example.org", "SRV",
                  (0, 0, 143, "imap.example.org"))
    o, _ = world.section("alice@example.org")
    assert (o["host"], o["tls"]) == ("imap.example.org", "starttls")
    world.dns.clear()
    world.dns.add("example.org", "A", "127.0.0.1")
    world.dns.add("_imaps._tcp.example.org", "SRV", (0, 0, 0, ""))
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    assert "there is no such server" in r.err


@pytest.mark.parametrize("ad", [True, False])
def test_srv_that_leads_to_others(world, ad):
    """Who can forge the DNS chooses who gets the password."""
    world.dns.ad = ad
    world.dns.add("_pop3s._tcp.example.org", "SRV",
                  (0, 0, 995, "pop.example.net"))
    o, text = world.section("--pop3", "alice@example.org")
    assert (o["protocol"], o["host"]) == ("pop3", "pop.example.net")
    assert ("The DNS is not signed" in text) is not ad


def test_srv_that_fits_no_datagram(world):
    world.dns.add("_imaps._tcp.example.org", "SRV", *[
        (i, 0, 993, "imap%d.a-name-that-is-long.example.org" % i)
        for i in range(40)])
    o, _ = world.section("alice@example.org")
    assert o["host"].startswith("imap0.")


@pytest.mark.parametrize("mx, host", [
    ("aspmx.l.google.com", "imap.gmail.com"),
    ("example-org.mail.protection.outlook.com", "outlook.office365.com"),
    ("in1-smtp.messagingengine.com", "imap.fastmail.com")])
def test_mail_that_goes_to_a_provider(world, mx, host):
    world.dns.add("example.org", "MX", (10, mx))
    o, text = world.section("alice@example.org")
    assert (o["host"], o["user"]) == (host, "alice@example.org")
    assert "MX " + mx in text


@pytest.mark.parametrize("mx", ["notgoogle.com", "google.com.example.net",
                                "mail.example.org"])
def test_mail_that_goes_elsewhere(world, mx):
    world.dns.add("example.org", "MX", (10, mx))
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    assert "mail goes to nobody whom we know" in r.err


@pytest.mark.parametrize("target", [
    b"\x05a\"b{}\x07example\0", b"\x03a\nb\0", b"\x04\x1b[2J\0",
    b"\x02xn\xc0\x00", b"\xc0\x0c", b"\x3f", b""])
def test_a_hostile_target(world, target):
    world.dns.add("_imaps._tcp.example.org", "SRV",
                  b"\0\0\0\0\x03\xe1" + target)
    r = world.setup("alice@example.org", status=(
        haul_module.OK, haul_module.UNAVAILABLE)[target != b"\xc0\x0c"])
    assert "\x1b" not in r.text and '"b{' not in r.text


def test_nothing_is_found(world):
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    lines = r.err.splitlines()
    assert "nothing was found out about the servers of alice@example.org" \
        in lines[0]
    for what in ("https://" + PAGE + ": HTTP status 404", "https://" + KNOWN,
                 "_imaps._tcp.example.org: there is no such record",
                 "_imap._tcp", "_pop3s._tcp", "_pop3._tcp", "MX of"):
        assert sum(what in x for x in lines) == 1, (what, r)


@pytest.mark.parametrize("rcode", [2, 5])
def test_a_name_server_that_fails(world, rcode):
    world.dns.rcode = rcode
    r = world.setup("alice@example.org", status=haul_module.UNAVAILABLE)
    assert "_imaps._tcp.example.org: the name server was asked" in r.err, r


def test_who_reads_it_is_behind_walls(world, haul):
    """While the DNS is silent it waits, and can be looked at."""
    world.dns.raw = b""
    p = haul.start("alice@example.org", command="setup")
    try:
        deadline = time.monotonic() + 20
        while True:
            walled = [s for s in map(status_of, haul_module.family(p.pid))
                      if s.get("Name") == "mailhaul-scout"
                      and s.get("Seccomp") == "2"]
            if walled:
                break
            assert p.poll() is None and time.monotonic() < deadline
            select.select([], [], [], 0.01)
        assert walled[0]["NoNewPrivs"] == "1"
    finally:
        for pid in haul_module.family(p.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        p.communicate()
