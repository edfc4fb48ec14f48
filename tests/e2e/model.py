# SPDX-License-Identifier: ISC
"""Small IMAP and POP3 servers that do what they are told: correct by
themselves, with hooks for every kind of misbehaviour, and exact about octets
(real servers replace NULs, add line ends, and never break the protocol)."""

from model_base import (  # noqa: F401
    PASSWORD, USER, Box, Cut, Mail, Peer, Server, secrets_in)
from model_imap import Imap  # noqa: F401
from model_pop3 import Pop3  # noqa: F401
