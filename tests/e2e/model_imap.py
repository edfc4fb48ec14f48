# SPDX-License-Identifier: ISC
"""The scripted IMAP server, one session of it."""

import base64
import fnmatch
import re

import time

from model_base import PASSWORD, USER
from model_watch import Watching


class Imap(Watching):
    """One session. What it is like is told by attributes, of which traits
    are others than the usual ones."""

    CAPA = "IMAP4rev1 SASL-IR ID LITERAL+ UIDPLUS IDLE"

    greeting = "* OK ready"  # None: nothing is ever said
    login_answer = None      # to each login, whatever the password
    status_answer = None     # to each STATUS
    list_answer = None       # to each LIST
    refuse_login = "NO [AUTHENTICATIONFAILED] Not you"
    tokens = None            # an Idp: its access tokens are the passwords

    def __init__(self, peer, boxes, capa=None, starttls=False,
                 password=PASSWORD, user=USER, traits=None):
        super().__init__()
        self.p, self.boxes = peer, boxes
        self.capa = self.CAPA if capa is None else capa
        self.starttls = starttls
        self.password, self.user = password, user
        self.box, self.seen = None, []
        self.logged_in = False
        self.greeted = False
        self.asked, self.asked_at = [], []
        for name, value in (traits or {}).items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def capabilities(self):
        extra = ""
        if self.starttls and not self.p.tls:
            extra = " STARTTLS LOGINDISABLED"
        elif not self.logged_in:
            extra = " AUTH=PLAIN"
            if self.tokens:
                extra = " AUTH=XOAUTH2 LOGINDISABLED"
        return self.capa + extra

    def greet(self, text=None):
        """Ends the session when it is no greeting but a refusal."""
        self.greeted = True
        text = text or self.greeting
        while text is None:
            self.p.octets(1 << 30)
        self.say(text)
        if not text.upper().startswith(("* OK", "* PREAUTH")):
            self.p.drop()

    def say(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.p.send(text + b"\r\n")

    def command(self):
        """The next whole command with its literals: (tag, words)."""
        line = self.p.line()
        if line is None:
            return None
        full = line
        while True:
            m = re.search(r"\{(\d+)(\+?)\}$", line)
            if not m:
                break
            if not m.group(2):
                self.say("+ go on")
            octets = self.p.octets(int(m.group(1))).decode("latin-1")
            line = self.p.line() or ""
            full = full[:full.rindex("{")] + self.quote(octets) + line
        return full

    @staticmethod
    def quote(s):
        return '"%s"' % s.replace("\\", "\\\\").replace('"', '\\"')

    @staticmethod
    def words(text):
        out = []
        for m in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', text):
            out.append(re.sub(r"\\(.)", r"\1", m.group(1))
                       if m.group(2) is None else m.group(2))
        return out

    def run(self, until=None):
        """Answers commands; a line that matches the pattern is not answered
        but returned. None: the client has gone."""
        while True:
            full = self.command()
            if full is None:
                return None
            self.asked_at.append(time.monotonic())
            self.asked.append(full)
            self.p.server.note()
            if until and fnmatch.fnmatchcase(
                    full.split(" ", 1)[-1].upper(), until.upper()):
                return full
            if not self.answer(full):
                return None

    def answer(self, full):
        tag, _, rest = full.partition(" ")
        verb = rest.split(" ")[0].upper() if rest else ""
        args = rest[len(verb):].strip()
        if verb == "UID":
            verb = "UID_" + args.split(" ")[0].upper()
            args = args[len(verb) - 4:].strip()
        do = getattr(self, "do_" + verb.lower(), None)
        if do is None:
            self.say(tag + " BAD what?")
            return True
        return do(tag, args) is not False

    def do_capability(self, tag, args):
        self.say("* CAPABILITY " + self.capabilities())
        self.say(tag + " OK done")

    def do_noop(self, tag, args):
        if self.noop_tells and self.box:
            self.refresh()
        self.say(tag + " OK done")

    do_check = do_noop

    def do_id(self, tag, args):
        self.say('* ID ("name" "model")')
        self.say(tag + " OK done")

    def do_starttls(self, tag, args):
        self.say(tag + " OK begin")
        self.p.start_tls()

    def do_login(self, tag, args):
        self.login(tag, *(self.words(args) + ["", ""])[:2])

    def login(self, tag, user, password):
        right = (user, password) == (self.user or user, self.password)
        if self.tokens:
            right = self.tokens.user_of(password) == user
        answer = self.login_answer or (
            "OK logged in" if right else self.refuse_login)
        self.logged_in = answer.upper().startswith("OK")
        self.who = user
        self.p.server.logins.append((time.monotonic(), user, self.logged_in))
        self.say(answer if answer.startswith("*") else tag + " " + answer)
        self.p.server.note()
        if answer.upper().startswith("* BYE"):
            self.p.drop()

    def do_authenticate(self, tag, args):
        words = args.split()
        if words[0].upper() == "XOAUTH2" and self.tokens:
            self.authenticate_xoauth2(tag, words)
            return
        if words[0].upper() != "PLAIN" or self.tokens:
            self.say(tag + " NO only PLAIN")
            return
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        plain = base64.b64decode(words[1]).decode()
        self.login(tag, *plain.split("\0")[1:3])

    def authenticate_xoauth2(self, tag, words):
        """A token that is not good is answered with JSON first, and that with
        an empty line, as GMail and Exchange do it."""
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        m = re.fullmatch(r"user=(.*)\x01auth=Bearer (.*)\x01\x01",
                         base64.b64decode(words[1]).decode())
        if m and self.tokens.user_of(m.group(2)) != m.group(1):
            self.say(b"+ " + base64.b64encode(
                b'{"status":"400","schemes":"Bearer","scope":"mail"}'))
            assert self.p.line() == ""
        self.login(tag, *(m.groups() if m else ("", "")))

    def do_logout(self, tag, args):
        self.say("* BYE bye")
        self.say(tag + " OK done")
        return False

    def listed(self, reference, pattern):
        """The names that a LIST pattern means."""
        if pattern == "":
            return []
        rule = "".join(".*" if c == "*" else "[^/]*" if c == "%"
                       else re.escape(c) for c in reference + pattern)
        return [n for n in self.boxes if re.fullmatch(
            rule, n, re.I if n.upper() == "INBOX" else 0)]

    def do_list(self, tag, args):
        words = self.tree(args)
        returns = [x.upper() if isinstance(x, str) else x
                   for x in words[3]] if len(words) > 3 else []
        if "STATUS" in returns and not self.offers("LIST-STATUS"):
            return self.say(tag + " BAD I know no LIST-STATUS")
        if self.list_answer:
            return self.say(tag + " " + self.list_answer)
        patterns = words[1] if isinstance(words[1], list) else [words[1]]
        if patterns == [""]:
            self.say('* LIST (\\Noselect) "/" ""')
        for name in self.boxes:
            if any(name in self.listed(words[0], p) for p in patterns):
                self.say('* LIST () "/" %s' % self.quote(name))
                if "STATUS" in returns:
                    self.say_status(
                        name, returns[returns.index("STATUS") + 1])
        self.say(tag + " OK done")

    def say_status(self, name, items):
        b = self.named(name)
        have = {"MESSAGES": len(b.mails), "UIDNEXT": b.next, "RECENT": 0,
                "UIDVALIDITY": b.uidvalidity,
                "UNSEEN": sum("\\Seen" not in m.flags for m in b.mails),
                "SIZE": sum(len(m.octets) for m in b.mails)}
        self.say("* STATUS %s (%s)" % (self.quote(name), " ".join(
            "%s %d" % (i.upper(), have[i.upper()]) for i in items)))

    def do_status(self, tag, args):
        name, items = self.tree(args)
        if self.status_answer:
            self.say(tag + " " + self.status_answer)
        elif self.named(name) is None:
            self.say(tag + " NO [NONEXISTENT] no such mailbox")
        else:
            self.say_status(name, items)
            self.say(tag + " OK done")

    def do_select(self, tag, args):
        name = self.words(args)[0]
        if self.named(name) is None:
            self.say(tag + " NO [NONEXISTENT] no such mailbox")
            return
        self.box = self.named(name)
        self.watch(self.box)
        self.seen = list(self.box.mails)
        self.say("* FLAGS (\\Deleted \\Seen)")
        self.say("* %d EXISTS" % len(self.seen))
        self.say("* 0 RECENT")
        self.say("* OK [UIDVALIDITY %d] ok" % self.box.uidvalidity)
        self.say("* OK [UIDNEXT %d] ok" % self.box.next)
        self.say(tag + " OK [READ-WRITE] done")

    do_examine = do_select

    def do_close(self, tag, args):
        self.expunge([m for m in self.seen if "\\Deleted" in m.flags], True)
        self.box = None
        self.say(tag + " OK done")

    def do_unselect(self, tag, args):
        self.box = None
        self.say(tag + " OK done")

    def chosen(self, text):
        last = self.seen[-1].number if self.seen else 0
        out = []
        ranges = []
        for part in text.split(","):
            a, _, b = part.partition(":")
            lo, hi = [last if x == "*" else int(x) for x in (a, b or a)]
            ranges.append((min(lo, hi), max(lo, hi)))
        for m in self.seen:
            if any(lo <= m.number <= hi for lo, hi in ranges):
                out.append(m)
        return out

    def do_uid_search(self, tag, args):
        found = list(self.seen)
        words = args.upper().split()
        if "UID" in words:
            words = words[words.index("UID") + 1:]
        for w in words:
            if re.fullmatch(r"[\d:,*]+", w):
                found = [m for m in found if m in self.chosen(w)]
            elif w == "DELETED":
                found = [m for m in found if "\\Deleted" in m.flags]
        self.say("* SEARCH" + "".join(" %d" % m.number for m in found))
        self.say(tag + " OK done")

    def do_uid_fetch(self, tag, args):
        which, _, items = args.partition(" ")
        for m in self.chosen(which):
            self.fetched(m, items)
        self.say(tag + " OK done")

    def fetched(self, m, items):
        head = m.octets.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        out = b"* %d FETCH (UID %d" % (self.seen.index(m) + 1, m.number)
        up = items.upper()
        if "RFC822.SIZE" in up:
            out += b" RFC822.SIZE %d" % len(m.octets)
        if "FLAGS" in up:
            out += b" FLAGS (%s)" % " ".join(m.flags).encode()
        if "INTERNALDATE" in up:
            out += b' INTERNALDATE "01-Jan-2024 00:00:00 +0000"'
        fields = re.search(r"HEADER\.FIELDS \(([^)]*)\)", up)
        if fields:
            data = self.only(head, fields.group(1).split())
            out += b" BODY[HEADER.FIELDS (%s)] {%d}\r\n" % (
                fields.group(1).encode(), len(data)) + data
        elif "BODY[HEADER]" in up or "BODY.PEEK[HEADER]" in up:
            out += b" BODY[HEADER] {%d}\r\n" % len(head) + head
        elif "[]" in up:
            out += b" BODY[] {%d}\r\n" % len(m.octets) + m.octets
        self.say(out + b")")

    @staticmethod
    def only(head, names):
        out, keep = b"", False
        for line in head.split(b"\r\n"):
            if not line.startswith((b" ", b"\t")):
                keep = line.split(b":")[0].strip().decode(
                    "latin-1").upper() in names
            if keep and line:
                out += line + b"\r\n"
        return out + b"\r\n"

    def do_uid_store(self, tag, args):
        which, _, rest = args.partition(" ")
        for m in self.chosen(which):
            if "\\DELETED" in rest.upper():
                m.flags.add("\\Deleted")
            if ".SILENT" not in rest.upper():
                self.say("* %d FETCH (UID %d FLAGS (%s))" % (
                    self.seen.index(m) + 1, m.number, " ".join(m.flags)))
        self.say(tag + " OK done")

    def expunge(self, mails, quiet=False):
        for m in mails:
            if m not in self.seen:
                continue
            if not quiet:
                self.say("* %d EXPUNGE" % (self.seen.index(m) + 1))
            self.seen.remove(m)
            if m in self.box.mails:
                self.box.mails.remove(m)
        self.box.tell(self)

    def do_uid_expunge(self, tag, args):
        self.expunge([m for m in self.chosen(args) if "\\Deleted" in m.flags])
        self.say(tag + " OK done")

    def do_expunge(self, tag, args):
        self.expunge([m for m in self.seen if "\\Deleted" in m.flags])
        self.say(tag + " OK done")
