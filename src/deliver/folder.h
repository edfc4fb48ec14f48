/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_FOLDER_H
#define MAILHAUL_DELIVER_FOLDER_H

/*
 * Where a server's mailbox lies below a Maildir: Maildir++, one directory for
 * each mailbox, with a dot in front and between the levels (".Lists.foo").
 *
 * A level is written in modified UTF-7 (RFC 3501 5.1.3), as Dovecot and
 * Courier do. "." and "/" are in base64 in it ("&AC4-"), too, and so is what
 * is no UTF-8 (utf7_encode_any()); an empty level is "&AF8-". So whatever a
 * server calls a mailbox, it is one directory in the Maildir, and no two are
 * the same, but that INBOX is the Maildir itself, and its children are those
 * of the root.
 */

#define FOLDER_NAME_MAX 200 /* octets of the directory's name */

/*
 * The path of the folder; the caller frees. delimiter is 0 when there are no
 * levels. A name that would be too long is cut and ends in "-" and 32 hex
 * digits, a hash of the whole.
 */
char *folder_path(const char *maildir, const char *mailbox, char delimiter);

#endif
