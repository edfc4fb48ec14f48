# SPDX-License-Identifier: ISC
"""A client that waits by IDLE, to see that a server tells it."""

import socket
import ssl

from dovecot import PASSWORD


class Idler:
    """with Idler(server, user) as i: what comes now, i.told() waits for."""

    def __init__(self, server, user):
        context = ssl.create_default_context(cafile=server.ca)
        self.socket = context.wrap_socket(
            socket.create_connection(("localhost", server.imaps), 10),
            server_hostname="localhost")
        self.lines = self.socket.makefile("rb")
        self.user = user

    def __enter__(self):
        self.say("a login %s %s" % (self.user, PASSWORD))
        self.hear("a OK")
        self.say("b select INBOX")
        self.hear("b OK")
        self.say("c idle")
        self.hear("+")
        return self

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def hear(self, begin="", end=""):
        """The lines up to one that begins or ends so."""
        heard = []
        while True:
            line = self.lines.readline()
            assert line, "the end, after %r" % heard
            heard.append(line.decode().rstrip("\r\n"))
            if heard[-1].startswith(begin) and heard[-1].endswith(end):
                return heard

    def told(self, timeout=20):
        """How many messages there are now, says the server."""
        self.socket.settimeout(timeout)
        return int(self.hear("* ", " EXISTS")[-1].split()[1])

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()
