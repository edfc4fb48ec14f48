/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_KERBEROS_H
#define MAILHAUL_PROC_KERBEROS_H

/*
 * Who answers a server's challenges of GSSAPI (RFC 4752), for one login: this
 * program anew, started by proc/tunnels.h, with what Kerberos needs: files, the
 * way to the servers of the realm, and the environment that leads to tickets
 * and keys. Walls leave it no program and no other process.
 *
 * The engine is at the other end of its standard input, and gets responses (see
 * session/agent.h); what it may log in to is in the arguments, by the
 * supervisor.
 */

#define KERBEROS_ROLE "mailhaul: kerberos"

/* argv: the role, the service ("imap", "pop"), the host, the user. */
int kerberos_main(int argc, char **argv);

#endif
