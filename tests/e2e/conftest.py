# SPDX-License-Identifier: ISC
import os
import shutil
import tempfile

import pytest

import courier as courier_module
import cyrus as cyrus_module
import daemon as daemon_module
import dovecot as dovecot_module
import haul as haul_module
import idp as idp_module
import lmtp_model
import model
import netns


def pytest_configure(config):
    if not hasattr(config, "workerinput") and \
            not os.access(haul_module.MAILHAUL, os.X_OK):
        pytest.exit("no program at %s: make all first" %
                    haul_module.MAILHAUL, 2)


# The same at thousands of places: once with each flavor adds little.
KILLS = ("test_crash.py", "test_lmtp_crash.py", "test_mbox_crash.py",
         "test_mda_crash.py")
CUTS = ("test_cut.py", "test_cut_at_every")
# What hardly depends on how we were compiled.
TALES = ("test_login.py", "test_oauth.py", "test_setup.py", "test_proxy.py",
         "test_check_online.py", "test_manners_daemon.py",
         "test_watch_servers.py")
QUICK = {"kills": KILLS, "all": KILLS + CUTS + TALES}


def pytest_collection_modifyitems(config, items):
    """E2E_QUICK=kills or all: without the rings of kills, or of cuts and what
    else takes long, too."""
    names = QUICK.get(os.environ.get("E2E_QUICK"))
    if names is None:
        return
    left = [i for i in items if not any(t in i.nodeid for t in names)]
    config.hook.pytest_deselected(items=[i for i in items if i not in left])
    items[:] = left


def pytest_terminal_summary(terminalreporter):
    """passed and failed for tests/check.sh"""
    path = os.environ.get("E2E_SUM")
    if path is None:
        return
    s = terminalreporter.stats
    bad = len(s.get("failed", [])) + len(s.get("error", []))
    with open(path, "w") as f:
        f.write("%d %d\n" % (len(s.get("passed", [])), bad))


@pytest.fixture(scope="session")
def server():
    """A private Dovecot; one for each test process."""
    d = dovecot_module.Dovecot().start()
    yield d
    d.stop()


@pytest.fixture(scope="session")
def cyrus():
    with cyrus_module.Cyrus() as c:
        yield c


@pytest.fixture(scope="session")
def courier():
    with courier_module.Courier() as c:
        yield c


@pytest.fixture(scope="session")
def certs():
    """Certificates for the scripted servers: ca.pem, server.pem, .key."""
    d = tempfile.mkdtemp(prefix="mailhaul-certs-")
    dovecot_module.make_certs(d)
    yield d
    shutil.rmtree(d)


@pytest.fixture
def haul(tmp_path):
    return haul_module.Haul(tmp_path)


class Account:
    """An account on a private server with a mailbox of its own."""

    def __init__(self, server, haul, protocol, tls="implicit", after="keep",
                 name="a", **options):
        self.server, self.haul = server, haul
        self.user = server.user()
        self.box = server.box(self.user)
        self.protocol = protocol
        self.name = name
        o = dict(protocol=protocol, host="localhost",
                 port=server.port(protocol, tls), tls=tls, user=self.user,
                 password=dovecot_module.PASSWORD, after=after)
        if tls != "none":
            o["tls_ca_file"] = server.ca
        o.update(options)
        self.maildir = haul.account(name, **o)


@pytest.fixture
def account(server, haul):
    def make(protocol, **kw):
        return Account(server, haul, protocol, **kw)
    return make


@pytest.fixture
def account_on(haul):
    """On a server of the test's own."""
    def make(server, protocol, **kw):
        return Account(server, haul, protocol, **kw)
    return make


@pytest.fixture
def cyrus_account(cyrus, haul):
    def make(protocol, **kw):
        return Account(cyrus, haul, protocol, **kw)
    return make


@pytest.fixture
def courier_account(courier, haul):
    def make(protocol, **kw):
        return Account(courier, haul, protocol, **kw)
    return make


class Fake:
    """A model server of our own and an account on it. session(s, n) changes
    the n-th session or has it; traits are what all of them are like, and may
    be changed for those that come."""

    def __init__(self, haul, protocol, session=None, certs=None,
                 tls="none", after="keep", box=None, name="a", traits=None,
                 address="127.0.0.1", **options):
        self.haul, self.protocol, self.tls = haul, protocol, tls
        self.after = after
        self.box = box or model.Box()
        self.boxes = {"INBOX": self.box}
        self.sessions = []
        self.traits = dict(traits or {})
        self.make = session
        self.server = model.Server(
            self.serve, certs, implicit=tls == "implicit", address=address)
        o = dict(protocol=protocol, host=address, port=self.server.port,
                 tls=tls, user=model.USER, password=model.PASSWORD,
                 after=after, retries=0)
        if tls != "none":
            o["tls_ca_file"] = certs + "/ca.pem"
        o.update(options)
        self.maildir = haul.account(name, **o)

    def new(self, peer):
        starttls = self.tls == "starttls"
        if self.protocol == "imap":
            s = model.Imap(peer, self.boxes, starttls=starttls,
                           traits=self.traits)
        else:
            s = model.Pop3(peer, self.box, starttls=starttls,
                           traits=self.traits)
        self.sessions.append(s)
        return s

    def serve(self, peer, number):
        s = self.new(peer)
        if self.make is None or self.make(s, number) is None:
            if not s.greeted:
                s.greet()
            s.run()

    def asked(self):
        return [line for s in self.sessions for line in s.asked]

    def live(self):
        return [s for s in list(self.sessions) if s.p.ended is None]

    def idler(self, n=1, timeout=40):
        """Waits until n sessions idle; the youngest of them."""
        self.server.wait_for(
            lambda: sum(s.idling.is_set() for s in self.live()) >= n,
            timeout, "IDLE")
        return [s for s in self.live() if s.idling.is_set()][-1]


@pytest.fixture
def fake(haul, certs):
    made = []

    def make(protocol, session=None, **kw):
        """of: whose configuration it is in, if not ours."""
        kw.setdefault("certs", certs)
        f = Fake(kw.pop("of", haul), protocol, session, **kw)
        made.append(f)
        return f
    yield make
    for f in made:
        f.server.stop()
        for e in f.server.errors:
            raise e


@pytest.fixture
def daemon(haul):
    """with daemon() as d: a running "mailhaul run" of the accounts."""
    def make(*args, **kw):
        return daemon_module.Daemon(haul, *args, **kw)
    return make


@pytest.fixture
def net(haul):
    """mailhaul is started on a host of its own; servers are on net.server."""
    with netns.Net() as n:
        haul.prefix = [*n.prefix, *haul.prefix]
        yield n


@pytest.fixture
def relay(tmp_path, certs):
    """A server of ours to give messages to, by LMTP or SMTP."""
    made = []

    def make(**kw):
        made.append(lmtp_model.Relay(tmp_path, certs, **kw))
        return made[-1]
    yield make
    for r in made:
        r.stop()


@pytest.fixture
def idp(certs):
    """An identity provider; its traits are those of idp.py."""
    made = []

    def make(certs=certs, **kw):
        made.append(idp_module.Idp(certs, **kw))
        return made[-1]
    yield make
    for i in made:
        i.stop()
