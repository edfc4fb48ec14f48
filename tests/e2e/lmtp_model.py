# SPDX-License-Identifier: ISC
"""An LMTP and SMTP server that is correct by itself, misbehaves on demand at
every stage, is exact about octets, and keeps what it heard; and what the
tests of such servers have in common."""

import collections
import contextlib
import os
import re
import socket
import threading

import model
from haul import OK, PROTOCOL, TEMPFAIL, UNAVAILABLE, short
from mda import held, troubles

BOB = "bob@example.org"
PLAIN = "8BITMIME SIZE"
DATA = "PIPELINING " + PLAIN + " ENHANCEDSTATUSCODES"
FULL = DATA + " SMTPUTF8 CHUNKING BINARYMIME"
OFFERS = {"none": "", "plain": PLAIN, "data": DATA, "full": FULL,
          "chunking": "CHUNKING", "pipelining": "PIPELINING"}

# What is for one octet, or a few, stays; these two make lines out of others.
SLOPPY_END = re.compile(rb"(?<!\r)\n|\r(?=\.)")


def through_data(octets):
    """What becomes of a message on its way through DATA, as mailhaul.conf(5)
    says: a bare LF and a bare CR in front of a dot become CRLF, and a missing
    CRLF at the end is added."""
    octets = SLOPPY_END.sub(b"\r\n", octets)
    if octets and not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    return octets


def silent(session, arg):
    """A rule: nothing is said until the client has gone."""
    while session.p.more():
        session.p.pending = b""
    raise model.Cut()


def for_recipient(answers):
    """A rule for rcpt or body: what is said for which recipient."""
    return lambda session, who: answers.get(who)


# One message as the server got it, for one recipient of it.
Got = collections.namedtuple(
    "Got", "recipient sender octets params how session tls")


class Session:
    """One connection. The relay's rules say what is answered at a stage:
    greeting, lhlo, starttls, mail, rcpt, data, bdat, body (for each
    recipient), rset, quit. A rule is a text (lines separated by LF), octets
    that are sent as they are, or a function (session, argument) that gives
    one of these, or None for what is right."""

    def __init__(self, peer, relay):
        self.p, self.relay = peer, relay
        self.asked = []
        self.greeted = False  # by LHLO or EHLO
        self.forget()
        peer.heard, peer.clear = bytearray(), bytearray()
        self.number = len(relay.sessions)
        relay.sessions.append(self)
        if relay.cut_heard is not None and self.number == relay.cut_session:
            peer.more = self.more_until_cut

    def more_until_cut(self):
        """So many octets are heard, then it ends."""
        p, left = self.p, self.relay.cut_heard - len(self.p.heard)
        if left <= 0:
            p.drop(self.relay.cut_how)
        data = p.sock.recv(min(left, 65536))
        p.heard += data
        p.pending += data
        return data

    def forget(self):
        self.sender, self.params, self.recipients = None, [], []
        self.chunks = None

    # ---- saying ----

    def wrong(self, what):
        self.relay.wrong.append("session %d: %s" % (self.number, what))

    def words(self, stage, default, arg=""):
        """What the rule is, or the default; and whether it is a yes."""
        rule = self.relay.rules.get(stage)
        if callable(rule):
            rule = rule(self, arg)
        text = default if rule is None else rule
        if isinstance(text, str):
            text = "".join(
                line + "\r\n" for line in text.split("\n")).encode()
        return text, text[:1] in (b"2", b"3")

    def answer(self, stage, default, arg=""):
        text, yes = self.words(stage, default, arg)
        self.p.send(text)
        return yes

    def offers(self, word):
        return self.greeted and word in self.relay.capa.split()

    # ---- hearing ----

    def run(self):
        if not self.answer("greeting", "220 model.example ready"):
            silent(self, None)
        while True:
            line = self.p.line()
            if line is None:
                return
            self.asked.append(line)
            verb, _, arg = line.partition(" ")
            if self.p.pending and verb.upper() != "BDAT" and \
                    not self.offers("PIPELINING"):
                self.wrong("%s, and more without PIPELINING" % line)
            do = getattr(self, "do_" + verb.lower(), None)
            if do is None:
                self.wrong("a command? %r" % line[:100])
                self.p.send(b"500 5.5.2 what?\r\n")
            elif do(arg) is False:
                return

    def hello(self, arg):
        self.forget()
        capa = [x.replace("=", " ") for x in self.relay.capa.split()]
        if self.relay.tls == "starttls" and not self.p.tls:
            capa.append("STARTTLS")
        lines = ["model.example"] + capa
        self.greeted = self.answer("lhlo", "\n".join(
            "250%s%s" % ("-" if i < len(lines) - 1 else " ", x)
            for i, x in enumerate(lines)), arg)

    def do_lhlo(self, arg):
        if self.relay.smtp:
            self.wrong("LHLO to a server of SMTP")
        self.hello(arg)

    def do_ehlo(self, arg):
        if not self.relay.smtp:
            self.wrong("EHLO to a server of LMTP")
        self.hello(arg)

    def do_helo(self, arg):
        self.forget()
        self.answer("helo", "250 model.example", arg)

    def do_starttls(self, arg):
        if self.answer("starttls", "220 2.0.0 begin"):
            self.p.start_tls()
            self.greeted = False

    def do_mail(self, arg):
        m = re.fullmatch(r"FROM:<([^<>\s]*)>((?: [!-~]+)*)", arg)
        if m is None or self.sender is not None:
            self.wrong("MAIL %s" % arg)
            self.p.send(b"501 5.5.4 what?\r\n")
            return
        params = m.group(2).split()
        for p in params:
            self.check_param(p)
        if self.answer("mail", "250 2.1.0 yes", m.group(1)):
            self.sender, self.params = m.group(1), params

    def check_param(self, p):
        needs = {"SIZE": "SIZE", "SMTPUTF8": "SMTPUTF8",
                 "BODY=8BITMIME": "8BITMIME", "BODY=BINARYMIME": "BINARYMIME"}
        word = needs.get("SIZE" if p.startswith("SIZE=") else p)
        offered = [x.split("=")[0] for x in self.relay.capa.split()]
        if word is None or word not in offered:
            self.wrong("parameter %s was not offered" % p)

    def do_rcpt(self, arg):
        m = re.fullmatch(r"TO:<([^<>\s]+)>", arg)
        if m is None:
            self.wrong("RCPT %s" % arg)
        if m is None or self.sender is None:
            self.p.send(b"503 5.5.1 no sender\r\n")
        elif self.answer("rcpt", "250 2.1.5 yes", m.group(1)):
            self.recipients.append(m.group(1))

    def do_rset(self, arg):
        self.forget()
        self.answer("rset", "250 2.0.0 forgotten")

    def do_noop(self, arg):
        self.answer("noop", "250 2.0.0 done")

    def do_quit(self, arg):
        self.answer("quit", "221 2.0.0 bye")
        return False

    # ---- the message ----

    def do_data(self, arg):
        if self.p.pending:
            self.wrong("octets behind DATA")
        right = "354 go on" if self.recipients else "554 5.5.1 for nobody"
        if self.answer("data", right):
            raw = self.until_dot()
            lines = b"\r\n" + raw
            if re.search(rb"(?<!\r)\n|\r\.", raw):
                self.wrong("another server may see an end in the message")
            self.got(lines.replace(b"\r\n.", b"\r\n")[2:], "DATA")

    def until_dot(self):
        """The octets in front of the lone dot, as they came."""
        buf, at = bytearray(b"\r\n"), 0
        while True:
            buf += self.p.pending
            self.p.pending = b""
            end = buf.find(b"\r\n.\r\n", max(0, at - 4))
            if end >= 0:
                self.p.pending = bytes(buf[end + 5:])
                return bytes(buf[2:end + 2])
            at = len(buf)
            if not self.p.more():
                raise model.Cut()

    def do_bdat(self, arg):
        if not self.offers("CHUNKING"):
            self.wrong("BDAT was not offered")
        m = re.fullmatch(r"(\d+)( LAST)?", arg)
        chunk = self.exactly(int(m.group(1)))
        self.chunks = (self.chunks or b"") + chunk
        if not m.group(2):
            self.answer("bdat", "250 2.0.0 more")
            return
        octets = self.chunks
        sizes = [p for p in self.params if p.startswith("SIZE=")]
        if sizes not in ([], ["SIZE=%d" % len(octets)]):
            self.wrong("%s for %d octets" % (sizes[0], len(octets)))
        if not self.offers("BINARYMIME") and \
                through_data(octets) != octets:
            self.wrong("these lines need BINARYMIME")
        self.got(octets, "BDAT")

    def exactly(self, n):
        buf = bytearray(self.p.pending)
        self.p.pending = b""
        while len(buf) < n:
            if not self.p.more():
                raise model.Cut()
            buf += self.p.pending
            self.p.pending = b""
        self.p.pending = bytes(buf[n:])
        return bytes(buf[:n])

    def got(self, octets, how):
        """RFC 2033 4.2: an answer for each recipient; SMTP has one."""
        who, mail = list(self.recipients), (
            self.sender, octets, list(self.params), how, self.number,
            self.p.tls)
        if self.relay.smtp or not who:
            right = "250 2.0.0 yes" if who else "554 5.5.1 for nobody"
            self.verdict(who, mail, right, ",".join(who))
        else:
            for r in who:
                self.verdict([r], mail, "250 2.0.0 <%s> yes" % r, r)
        self.forget()

    def verdict(self, who, mail, right, arg):
        """It is the recipient's as soon as the yes is on its way."""
        text, yes = self.words("body", right, arg)
        if yes:
            self.relay.keep([Got(r, *mail) for r in who])
        self.p.send(text)


class Relay:
    """The server, where it listens, and what it got."""

    def __init__(self, directory, certs, smtp=False, capa=DATA, tls="none",
                 unix=False, **rules):
        self.smtp, self.capa, self.tls = smtp, capa, tls
        self.rules = rules
        self.sessions, self.kept, self.wrong = [], [], []
        self.cut_heard, self.cut_how, self.cut_session = None, "fin", 0
        self.sent_max = None  # octets that the first session says
        self.lock = threading.Lock()
        self.path = os.path.join(str(directory), "relay") if unix else None
        self.certs = certs
        self.server = Server(
            self.serve, certs, implicit=tls == "implicit", path=self.path)
        self.address = self.path or "127.0.0.1:%d" % self.server.port

    def serve(self, peer, number):
        s = Session(peer, self)
        if self.sent_max is not None and s.number == self.cut_session:
            peer.cut_after, peer.cut_how = self.sent_max, self.cut_how
        s.run()

    def keep(self, got):
        with self.lock:
            self.kept += got

    def options(self, recipient=(BOB,), **options):
        o = {"smtp" if self.smtp else "lmtp": self.address,
             "recipient": list(recipient) or None, "delivery-tls": self.tls}
        if self.tls != "none":
            o["delivery-tls-ca-file"] = self.certs + "/ca.pem"
        o.update({k.replace("_", "-"): v for k, v in options.items()})
        return {k.replace("-", "_"): v for k, v in o.items()}

    def octets(self, recipient=BOB):
        return [g.octets for g in self.kept if g.recipient == recipient]

    def asked(self, verb=""):
        return [x for s in self.sessions for x in s.asked
                if x.startswith(verb)]

    def heard(self):
        return b"".join(bytes(s.p.heard) for s in self.sessions)

    def check(self, originals, recipients=(BOB,), left=(), repeats=0,
              all_here=True):
        """No recipient has what never was on the server, octet by octet, or
        more than so many repeats in all; each has each message, or it is
        still on the server, and with all_here simply each."""
        want = collections.Counter(through_data(m) for m in originals)
        left = collections.Counter(through_data(m) for m in left)
        again = 0
        for who in recipients:
            have = collections.Counter(
                through_data(m) for m in self.octets(who))
            for m, n in (have - want).items():
                assert m in want, "never on the server: " + short(m)
                again += n
            missing = want - have if all_here else want - have - left
            assert not missing, "%s: %d lost, one of them: %s" % (
                who, sum(missing.values()), short(next(iter(missing))))
        assert again <= repeats, "%d repeats" % again
        assert {g.recipient for g in self.kept} <= set(recipients)
        return again

    def stop(self):
        self.server.stop()
        for e in self.server.errors:
            raise e
        assert self.wrong == [], self.wrong


class Server(model.Server):
    """On a socket of the file system, if path says so."""

    def __init__(self, serve, certs, implicit=False, path=None):
        self.path = path
        super().__init__(serve, certs, implicit)

    def listener(self):
        if self.path is None:
            return super().listener()
        s = socket.socket(socket.AF_UNIX)
        s.bind(self.path)
        os.chmod(self.path, 0o666)
        s.listen(128)
        return s


class Between(model.Server):
    """Passes octets between mailhaul and a real server; edit(octets) changes
    what the server says."""

    def __init__(self, port, edit=lambda octets: octets):
        self.to, self.edit = port, edit
        super().__init__(self.pass_on)

    def pass_on(self, peer, number):
        with socket.create_connection(("127.0.0.1", self.to)) as s:
            t = threading.Thread(target=self.back, args=(s, peer.sock))
            t.start()
            with contextlib.suppress(OSError):
                while peer.more():
                    s.sendall(peer.pending)
                    peer.pending = b""
                s.shutdown(socket.SHUT_WR)
            t.join()

    def back(self, s, to):
        with contextlib.suppress(OSError):
            while True:
                data = s.recv(65536)
                if not data:
                    break
                to.sendall(self.edit(data))
            to.shutdown(socket.SHUT_WR)


# ---- messages that did not get through ----

def states(haul):
    return [t["state"] for t in troubles(haul)]


def settle(haul, rounds=8):
    """Fetches until nothing is left to be tried again."""
    for _ in range(rounds):
        r = haul.fetch(status=None)
        if r.status == OK and "later" not in states(haul):
            return r
        assert r.status in (OK, TEMPFAIL, UNAVAILABLE, PROTOCOL), r
        held(haul, "retry")
    raise AssertionError("it does not come to rest: %r" % r)
