# SPDX-License-Identifier: ISC
"""The scripted POP3 server, one session of it."""

import base64
import fnmatch
import time

from model_base import PASSWORD, USER


class Pop3:
    """One session on a Box. What it is like is told by attributes, of which
    traits are others than the usual ones."""

    CAPA = "TOP\nUIDL\nRESP-CODES\nPIPELINING\nUSER\nSASL PLAIN"

    greeting = "+OK ready"  # None: nothing is ever said
    login_answer = None     # to each login, whatever the password
    login_delay_s = None    # RFC 2449 6.5: told, and held to
    login_delay_told = None  # told, whether or not it is so: "60 USER"
    expire = None           # RFC 2449 6.7: "NEVER", "0", "30 USER"
    refuse_login = "-ERR [AUTH] Not you"

    def __init__(self, peer, box, capa=None, starttls=False,
                 password=PASSWORD, user=USER, uidl=True, traits=None):
        self.p, self.box = peer, box
        self.capa = self.CAPA if capa is None else capa
        self.starttls, self.uidl = starttls, uidl
        self.password, self.user = password, user
        self.mails = list(box.mails)
        self.deleted = []
        self.name = ""
        self.greeted = False
        self.asked, self.asked_at = [], []
        for name, value in (traits or {}).items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def greet(self, text=None):
        """Ends the session when it is no greeting but a refusal."""
        self.greeted = True
        text = text or self.greeting
        while text is None:
            self.p.octets(1 << 30)
        self.say(text)
        if not text.startswith("+OK"):
            self.p.drop()

    def say(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.p.send(text + b"\r\n")

    def run(self, until=None):
        while True:
            line = self.p.line()
            if line is None:
                return None
            self.asked_at.append(time.monotonic())
            self.asked.append(line)
            self.p.server.note()
            if until and fnmatch.fnmatchcase(line.upper(), until.upper()):
                return line
            verb, _, args = line.partition(" ")
            do = getattr(self, "do_" + verb.lower(), None)
            if do is None:
                self.say("-ERR what?")
            elif do(args) is False:
                return None

    def many(self, lines):
        self.say("\r\n".join(["+OK"] + list(lines) + ["."]))

    def do_capa(self, args):
        lines = [c for c in self.capa.split("\n") if c]
        if not self.uidl:
            lines = [c for c in lines if c != "UIDL"]
        if self.starttls and not self.p.tls:
            lines.append("STLS")
        delay = self.login_delay_told or self.login_delay_s
        if delay is not None:
            lines.append("LOGIN-DELAY %s" % delay)
        if self.expire is not None:
            lines.append("EXPIRE %s" % self.expire)
        self.many(lines)

    def do_stls(self, args):
        self.say("+OK begin")
        self.p.start_tls()

    def login(self, user, password):
        server, now = self.p.server, time.monotonic()
        right = (user, password) == (self.user or user, self.password)
        answer = self.login_answer or (
            "+OK logged in" if right else self.refuse_login)
        last = server.last_login.get(user)
        if right and last is not None and \
                now - last < (self.login_delay_s or 0):
            answer = "-ERR [LOGIN-DELAY] not so often"
        let_in = answer.startswith("+OK")
        if let_in:
            self.who = user
            server.last_login[user] = now
        self.say(answer)
        server.logins.append((now, user, let_in))
        server.note()

    def do_user(self, args):
        self.name = args
        self.say("+OK")

    def do_pass(self, args):
        self.login(self.name, args)

    def do_auth(self, args):
        words = args.split()
        if words[:1] != ["PLAIN"]:
            self.say("-ERR only PLAIN")
            return
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        plain = base64.b64decode(words[1]).decode()
        self.login(*plain.split("\0")[1:3])

    def alive(self):
        return [(i + 1, m) for i, m in enumerate(self.mails)
                if m not in self.deleted]

    def do_stat(self, args):
        a = self.alive()
        self.say("+OK %d %d" % (len(a), sum(len(m.octets) for _, m in a)))

    def do_noop(self, args):
        self.say("+OK")

    def do_rset(self, args):
        self.deleted = []
        self.say("+OK")

    def do_list(self, args):
        self.many("%d %d" % (i, len(m.octets)) for i, m in self.alive())

    def do_uidl(self, args):
        if not self.uidl:
            self.say("-ERR no UIDL here")
            return
        self.many("%d %s" % (i, m.uidl) for i, m in self.alive())

    def number(self, args):
        n = int(args.split()[0])
        m = self.mails[n - 1] if 0 < n <= len(self.mails) else None
        if m is None or m in self.deleted:
            self.say("-ERR no such message")
            return None
        return m

    @staticmethod
    def stuffed(octets):
        if octets and not octets.endswith(b"\r\n"):
            octets += b"\r\n"
        if octets.startswith(b"."):
            octets = b"." + octets
        return octets.replace(b"\r\n.", b"\r\n..")

    def do_retr(self, args):
        m = self.number(args)
        if m is not None:
            self.p.send(b"+OK %d octets\r\n" % len(m.octets) +
                        self.stuffed(m.octets) + b".\r\n")

    def do_top(self, args):
        m = self.number(args)
        if m is not None:
            head = m.octets.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.p.send(b"+OK\r\n" + self.stuffed(head) + b".\r\n")

    def do_dele(self, args):
        m = self.number(args)
        if m is not None:
            self.deleted.append(m)
            self.say("+OK")

    def do_quit(self, args):
        self.update()
        self.say("+OK bye")
        return False

    def update(self):
        for m in self.deleted:
            if m in self.box.mails:
                self.box.mails.remove(m)
