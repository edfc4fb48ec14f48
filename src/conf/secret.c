/* SPDX-License-Identifier: ISC */
#include "conf/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf_file.h"
#include "conf/netrc.h"
#include "sys/file.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define NETRC_MAX_OCTETS ((size_t)1 << 20)

static struct span
without_newline(struct span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* What the whole content of a file must be. */
static int
one_line(struct span s, const char *path, struct secret **out, struct err *e)
{
	s = without_newline(s);
	if (s.n == 0)
		return err_set(e, ERR_CONFIG, 0,
		    "%s is empty: write the password into it", path);
	if (text_breaks_line(s))
		return err_set(e, ERR_CONFIG, 0,
		    "%s has more than one line: leave the password alone in it",
		    path);
	*out = secret_new(s);
	return 0;
}

static int
read_file(const char *path, bool check_mode, struct secret **out, struct err *e)
{
	struct stat st;
	struct buf b;
	int r;

	buf_init(&b, SECRET_MAX);
	if (conf_file_read(path, SECRET_MAX, &b, &st, e) < 0)
		r = err_prefix(e, "%s", path);
	else if (check_mode && file_others_may_read(st.st_mode))
		r = err_set(e, ERR_CONFIG, 0,
		    "%s can be read by others: chmod 600 it", path);
	else
		r = one_line(buf_span(&b), path, out, e);
	buf_wipe(&b);
	return r;
}

static int
read_netrc(const struct conf_account *a, struct secret **out, struct err *e)
{
	const char *path = a->secret.netrc;
	struct stat st;
	struct buf b;

	buf_init(&b, NETRC_MAX_OCTETS);
	if (conf_file_read(path, NETRC_MAX_OCTETS, &b, &st, e) < 0)
		err_prefix(e, "%s", path);
	else if (st.st_uid != geteuid())
		err_set(e, ERR_CONFIG, 0, "%s belongs to another user: copy it",
		    path);
	else if (file_others_may_read(st.st_mode))
		err_set(e, ERR_CONFIG, 0,
		    "%s can be read by others: chmod 600 it", path);
	else if ((*out = netrc_find(buf_span(&b), a->host, a->user, e)) == NULL)
		err_prefix(e, "%s", path);
	buf_wipe(&b);
	return *out == NULL ? -1 : 0;
}

/* systemd has set owner and mode of these as it needs them. */
static int
read_credential(const char *name, struct secret **out, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path;
	int r;

	if (dir == NULL || dir[0] != '/')
		return err_set(e, ERR_CONFIG, 0,
		    "no $CREDENTIALS_DIRECTORY to find \"%s\" in: add "
		    "LoadCredential= to the systemd service",
		    name);
	path = mem_printf("%s/%s", dir, name);
	r = read_file(path, false, out, e);
	free(path);
	return r;
}

/* It logs in with what else it has: a certificate, a ticket. */
static bool
needs_none(const struct conf_account *a)
{
	if (a->auth == CONF_AUTH_AUTO)
		return a->tls_cert != NULL && a->secret.literal == NULL;
	return a->auth == CONF_AUTH_EXTERNAL || a->auth == CONF_AUTH_GSSAPI;
}

int
conf_secret_read(
    const struct conf_account *a, struct secret **out, struct err *e)
{
	const struct conf_secret *from = &a->secret;

	assert(from->command.n == 0);
	*out = NULL;
	if (from->file != NULL)
		return read_file(from->file, true, out, e);
	if (from->netrc != NULL)
		return read_netrc(a, out, e);
	if (from->credential != NULL)
		return read_credential(from->credential, out, e);
	if (needs_none(a)) {
		*out = secret_new(SPAN(""));
		return 0;
	}
	if (from->literal == NULL)
		return err_set(e, ERR_CONFIG, 0,
		    "no password is configured: add password-file, "
		    "password-command, password-credential, password-netrc or "
		    "password");
	*out = secret_new(secret_span(from->literal));
	return 0;
}

struct secret *
conf_secret_of_output(struct span out, const char *option, struct err *e)
{
	struct span line = out;
	struct secret *made;

	line.n = span_find(out, '\n');
	line = without_newline(line);
	if (out.n == 0)
		err_set(e, ERR_CONFIG, 0, "%s printed nothing", option);
	else if (line.n == 0)
		err_set(e, ERR_CONFIG, 0,
		    "the first line that %s printed is empty", option);
	else if (text_breaks_line(line))
		err_set(e, ERR_CONFIG, 0,
		    "%s printed a CR or NUL in its first line", option);
	else if ((made = secret_new(line)) == NULL)
		err_set(e, ERR_CONFIG, 0,
		    "%s printed a line of more than %d octets", option,
		    SECRET_MAX);
	else
		return made;
	return NULL;
}
