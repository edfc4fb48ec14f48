# SPDX-License-Identifier: ISC
"""The scripted IMAP server, one session of it."""

import base64
import fnmatch
import re

from model_base import PASSWORD, USER


class Imap:
    """One session. .capa and .capa_after are what it offers."""

    CAPA = "IMAP4rev1 SASL-IR ID LITERAL+ UIDPLUS IDLE"

    def __init__(self, peer, boxes, capa=None, starttls=False,
                 password=PASSWORD, user=USER):
        self.p, self.boxes = peer, boxes
        self.capa = self.CAPA if capa is None else capa
        self.starttls = starttls
        self.password, self.user = password, user
        self.box, self.seen = None, []
        self.logged_in = False
        self.greeted = False
        self.asked = []
        self.refuse_login = "NO [AUTHENTICATIONFAILED] Not you"

    def capabilities(self):
        extra = ""
        if self.starttls and not self.p.tls:
            extra = " STARTTLS LOGINDISABLED"
        elif not self.logged_in:
            extra = " AUTH=PLAIN"
        return self.capa + extra

    def greet(self, text="* OK ready"):
        self.greeted = True
        self.say(text)

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
            self.asked.append(full)
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
        if (user, password) == (self.user or user, self.password):
            self.logged_in = True
            self.who = user
            self.say(tag + " OK logged in")
        else:
            self.say(tag + " " + self.refuse_login)

    def do_authenticate(self, tag, args):
        words = args.split()
        if words[0].upper() != "PLAIN":
            self.say(tag + " NO only PLAIN")
            return
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        plain = base64.b64decode(words[1]).decode()
        self.login(tag, *plain.split("\0")[1:3])

    def do_logout(self, tag, args):
        self.say("* BYE bye")
        self.say(tag + " OK done")
        return False

    def do_list(self, tag, args):
        for name in self.boxes:
            self.say('* LIST () "/" %s' % self.quote(name))
        self.say(tag + " OK done")

    def do_status(self, tag, args):
        name = self.words(args)[0]
        b = self.boxes[name]
        self.say("* STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)" % (
            self.quote(name), len(b.mails), b.next, b.uidvalidity))
        self.say(tag + " OK done")

    def do_select(self, tag, args):
        name = self.words(args)[0]
        if name not in self.boxes:
            self.say(tag + " NO [NONEXISTENT] no such mailbox")
            return
        self.box = self.boxes[name]
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

    def do_uid_expunge(self, tag, args):
        self.expunge([m for m in self.chosen(args) if "\\Deleted" in m.flags])
        self.say(tag + " OK done")

    def do_expunge(self, tag, args):
        self.expunge([m for m in self.seen if "\\Deleted" in m.flags])
        self.say(tag + " OK done")
