/* SPDX-License-Identifier: ISC */
#include "sys/log_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/text.h"

#define DATAGRAM_MAX 32768 /* every line fits */

static int sock = -1;
static struct sockaddr_un address;

bool
log_journal_reads(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	return strcmp(stream, ours) == 0;
}

int
log_journal_open(const char *path)
{
	size_t n = strlen(path);

	log_journal_close();
	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n >= sizeof(address.sun_path) || access(path, W_OK) != 0)
		return -1;
	memcpy(address.sun_path, path, n);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return sock < 0 ? -1 : 0;
}

void
log_journal_close(void)
{
	if (sock >= 0)
		close(sock);
	sock = -1;
}

static void
put_field(struct buf *b, const struct log_field *f)
{
	char value[LOG_FIELD_MAX];

	(void)buf_add(b, SPAN("MAILHAUL_"));
	for (const char *p = f->name; *p != '\0'; p++)
		(void)buf_addc(
		    b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	text_printable(value, sizeof(value), span_of(f->value));
	(void)buf_printf(b, "=%s\n", value);
}

/* What is printable has no newline, so each field is one line of it. */
static void
write_datagram(struct buf *b, const struct log_line *line)
{
	char text[LOG_LINE_MAX];

	(void)buf_printf(b,
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=mailhaul\n"
	    "MAILHAUL_SUBJECT=%s\n",
	    log_line_text(text, line), log_priority(line->level),
	    line->subject);
	for (size_t i = 0; i < line->n; i++)
		put_field(b, &line->fields[i]);
}

/* To the path and not to a connection: it outlives a restart of the journal. */
bool
log_journal_send(const struct log_line *line)
{
	struct buf b;
	struct span all;
	ssize_t n;

	if (sock < 0)
		return false;
	buf_init(&b, DATAGRAM_MAX);
	write_datagram(&b, line);
	all = buf_span(&b);
	n = sendto(sock, all.p, all.n, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&address, sizeof(address));
	buf_deinit(&b);
	return n >= 0;
}
