# SPDX-License-Identifier: ISC
"""How a scripted IMAP session tells of mail that arrives: IDLE (RFC 2177),
NOTIFY (RFC 5465), and what goes wrong with them."""

import re
import threading

TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"|([()])|([^\s()"\[\]]+(?:\[[^\]]*\][^\s()]*)?)')


class Watching:
    """A part of Imap. A test waits for .idling, then has a message arrive
    (Box.add) or says what it likes (push)."""

    idle_answer = None      # "NO ..." or "BAD ...": that is all
    idle_plus_s = 0         # the "+" comes so late; None: never
    idle_tells = "at once"  # or "before" the "+", when "done", "never"
    idle_end = None         # lines in place of the tagged OK; "": nothing
    idle_bye_s = None       # ends by a BYE after so many seconds
    idle_bye = "* BYE [UNAVAILABLE] you were here for too long"
    idle_still_s = None     # says that it is still here, so often
    noop_tells = True
    notify_answer = None    # "NO ..." or "BAD ..."
    notify_tells = True

    def __init__(self):
        self.idling = threading.Event()
        self.idles = 0       # how often IDLE began
        self.groups = None   # of NOTIFY SET

    # ---- for tests, from any thread ----

    def push(self, *lines):
        """Says lines now. False: the session has gone."""
        return self.p.call(lambda: [self.say(x) for x in lines] and None)

    def push_exists(self, n=None):
        """Tells of n messages (None: as many as there are)."""
        return self.p.call(lambda: self.refresh() if n is None
                           else self.say("* %d EXISTS" % n))

    def push_bye(self, text="* BYE going down"):
        def bye():
            self.say(text)
            self.p.drop()
        return self.p.call(bye)

    def push_status(self, name, items=("MESSAGES", "UIDNEXT", "UIDVALIDITY")):
        return self.p.call(lambda: self.say_status(name, items))

    def overflow(self):
        """Too much happens: there are no notifications from now on."""
        def over():
            self.groups = None
            self.say("* OK [NOTIFICATIONOVERFLOW] that is too much for me")
        return self.p.call(over)

    # ---- what changed ----

    def offers(self, word):
        return word in self.capa.upper().split()

    def named(self, name):
        if name.upper() == "INBOX":
            name = "INBOX"
        return self.boxes.get(name)

    @staticmethod
    def tree(text):
        """Words, and lists of them."""
        stack = [[]]
        for quoted, paren, atom in TOKEN.findall(text):
            if paren == "(":
                stack.append([])
            elif paren == ")":
                stack[-2].append(stack.pop())
            else:
                stack[-1].append(atom or re.sub(r"\\(.)", r"\1", quoted))
        assert len(stack) == 1, text
        return stack[0]

    def refresh(self, expunge=True):
        """Tells of all that changed in the selected mailbox."""
        gone = [m for m in self.seen if m not in self.box.mails]
        for m in gone if expunge else []:
            self.say("* %d EXPUNGE" % (self.seen.index(m) + 1))
            self.seen.remove(m)
        new = [m for m in self.box.mails if m not in self.seen]
        if new:
            self.seen += new
            self.say("* %d EXISTS" % len(self.seen))

    def watch(self, box):
        if self not in box.watchers:
            box.watchers.append(self)

    def news(self, box):
        """Something happened to a mailbox that is watched."""
        if box is self.box:
            events = self.events_of("SELECTED")
            if self.idling.is_set() and self.idle_tells == "at once":
                self.refresh()
            elif events and self.notify_tells:
                self.refresh(self.delayed is False)
            return
        name = next((n for n, b in self.boxes.items() if b is box), None)
        if name is not None and self.notify_tells and self.wanted(name):
            self.say_status(name, ("MESSAGES", "UIDNEXT", "UIDVALIDITY"))

    # ---- IDLE ----

    def do_idle(self, tag, args):
        if not self.offers("IDLE"):
            return self.say(tag + " BAD I know no IDLE")
        if self.idle_answer:
            return self.say(tag + " " + self.idle_answer)
        if self.box and self.idle_tells == "before":
            self.refresh()
        if self.idle_plus_s is not None:
            self.p.wait(self.idle_plus_s, octets=False)
            self.say("+ idling")
        self.idles += 1
        self.idling.set()
        self.p.server.note()
        timers = self.idle_timers()
        try:
            if self.box and self.idle_tells == "at once":
                self.refresh()
            line = self.p.line()
        finally:
            self.idling.clear()
            self.p.never(*timers)
        if line is None:
            return False
        self.asked.append(line)
        assert line.upper() == "DONE", line
        if self.box and self.idle_tells == "done":
            self.refresh()
        self.idle_ends(tag)

    def idle_ends(self, tag):
        if self.idle_end is None:
            self.say(tag + " OK idle is over")
        elif self.idle_end:
            self.say(self.idle_end)

    def idle_timers(self):
        out = []
        if self.idle_bye_s is not None:
            out.append(self.p.after(
                self.idle_bye_s, lambda: self.push_bye(self.idle_bye)))
        if self.idle_still_s is not None:
            out.append(self.p.after(
                self.idle_still_s, lambda: self.say("* OK Still here"), True))
        return out

    # ---- NOTIFY ----

    def do_notify(self, tag, args):
        if not self.offers("NOTIFY"):
            return self.say(tag + " BAD I know no NOTIFY")
        if self.notify_answer:
            return self.say(tag + " " + self.notify_answer)
        words = self.tree(args)
        if words[0].upper() == "NONE":
            self.groups = None
            return self.say(tag + " OK silence")
        assert words[0].upper() == "SET", args
        with_status = words[1:2] and isinstance(words[1], str)
        self.groups = [self.group(g) for g in words[1 + bool(with_status):]]
        if not self.groups or any(
                ("MESSAGENEW" in g[2]) != ("MESSAGEEXPUNGE" in g[2])
                for g in self.groups):
            self.groups = None
            return self.say(tag + " BAD MessageNew goes with MessageExpunge")
        for name, box in self.boxes.items():
            if self.wanted(name):
                self.watch(box)
                if with_status and box is not self.box:
                    self.say_status(
                        name, ("MESSAGES", "UIDNEXT", "UIDVALIDITY"))
        self.say(tag + " OK you will hear of it")
        self.p.server.note()

    @staticmethod
    def group(words):
        """(filter, names, events) of an event-group."""
        kind = words[0].upper()
        assert kind in ("SELECTED", "SELECTED-DELAYED", "INBOXES",
                        "PERSONAL", "SUBSCRIBED", "SUBTREE", "MAILBOXES"), kind
        names, events = [], words[1]
        if kind in ("SUBTREE", "MAILBOXES"):
            names = words[1] if isinstance(words[1], list) else [words[1]]
            events = words[2]
        if isinstance(events, str):
            assert events.upper() == "NONE", events
            events = []
        return kind, names, [e.upper() for e in events if isinstance(e, str)]

    delayed = False

    def events_of(self, kind):
        for k, _, events in self.groups or []:
            if k.startswith(kind):
                self.delayed = k == "SELECTED-DELAYED"
                return events
        return []

    def wanted(self, name):
        """Does the first group that names it want to hear of new mail?"""
        for kind, names, events in self.groups or []:
            if kind in ("INBOXES", "PERSONAL", "SUBSCRIBED") and \
                    (kind != "INBOXES" or name == "INBOX") or \
                    kind == "MAILBOXES" and name in names or \
                    kind == "SUBTREE" and any(
                        name == n or name.startswith(n + "/") for n in names):
                return "MESSAGENEW" in events
        return False
