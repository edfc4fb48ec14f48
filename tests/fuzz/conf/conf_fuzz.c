/* SPDX-License-Identifier: ISC */

/*
 * conf_load() on any file, and conf_load_dir() on a directory with it. What
 * must hold: a configuration or errors, never both; errors are one printable
 * line each; what is accepted is complete and fit for the wire; and what a
 * user may say in his own file is good for the administrator, too.
 */

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/conf_same.h"
#include "util/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

static char dir[] = "/tmp/mailhaul-fuzz-XXXXXX";
static char path[sizeof(dir) + 7];

/* libconfuse 3.3 forgets the arguments of a broken include(). */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfuse.so";
}

static void
clean_up(void)
{
	unlink(path);
	rmdir(dir);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("HOME", "/home/alice", 1);
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/f.conf", dir);
	atexit(clean_up);
	return 0;
}

static bool
has(const uint8_t *data, size_t size, const char *text)
{
	return size > 0 && memmem(data, size, text, strlen(text)) != NULL;
}

static void
check_wire(const char *s)
{
	assert(s != NULL && s[0] != '\0');
	assert(!text_breaks_line(span_of(s)) && text_is_utf8(span_of(s)));
}

static void
check_relay(const struct conf_account *a)
{
	const struct conf_server *s = &a->relay;

	assert((s->socket == NULL) != (s->host == NULL));
	assert(s->socket == NULL || s->socket[0] == '/');
	assert(s->host == NULL || (s->port > 0 && s->port <= 65535));
	assert(a->recipients.n > 0 || a->recipient_header != NULL);
	assert(!a->trace_delivered_to);
	check_wire(a->helo_name);
}

static void
check_delivery(const struct conf_account *a)
{
	bool relay = a->way == CONF_LMTP || a->way == CONF_SMTP;
	size_t i;

	assert((a->maildir != NULL) == (a->way == CONF_MAILDIR));
	assert((a->mbox != NULL) == (a->way == CONF_MBOX));
	assert((a->mda.n > 0) == (a->way == CONF_MDA));
	assert(a->maildir == NULL || a->maildir[0] == '/');
	assert(a->mbox == NULL || a->mbox[0] == '/');
	assert(a->mda.n == 0 || a->mda.v[0][0] != '\0');
	assert(a->mda_parallel >= 1 && a->mda_parallel <= 64);
	assert(a->delivery_parallel >= 1 && a->delivery_parallel <= 16);
	assert(relay || a->recipients.n <= 1);
	assert(a->delivery_tls <= CONF_TLS_NONE);
	assert(a->recipient_header != NULL || a->recipient_prefix == NULL);
	for (i = 0; i < a->recipients.n; i++)
		check_wire(a->recipients.v[i]);
	if (relay)
		check_relay(a);
}

static void
check_url(const char *s)
{
	assert(s == NULL || strncasecmp(s, "https://", 8) == 0);
	assert(s == NULL || strpbrk(s, " #\"\n\r") == NULL);
}

static void
check_oauth2(const struct conf_oauth2 *o)
{
	check_wire(o->name);
	check_wire(o->client_id);
	check_wire(o->token_url);
	assert(o->device_url != NULL || o->auth_url != NULL);
	check_url(o->device_url);
	check_url(o->auth_url);
	check_url(o->token_url);
	assert(o->client_secret == NULL || o->client_secret_file == NULL);
	if (o->scopes != NULL)
		check_wire(o->scopes);
}

static void
check_login(const struct conf_account *a)
{
	const struct conf_secret *s = &a->secret;
	bool token = s->oauth2 != NULL || s->token_command.n > 0;

	assert((s->file != NULL) + (s->command.n > 0) +
		(s->credential != NULL) + (s->literal != NULL) +
		(s->netrc != NULL) + (s->oauth2 != NULL) +
		(s->token_command.n > 0) <=
	    1);
	assert(s->netrc == NULL || s->netrc[0] == '/');
	assert(a->auth < CONF_AUTHS);
	assert(a->auth != CONF_AUTH_APOP || a->protocol == CONF_POP3);
	assert(a->auth != CONF_AUTH_EXTERNAL || a->tls_cert != NULL);
	assert(!token || a->auth == CONF_AUTH_AUTO ||
	    a->auth == CONF_AUTH_XOAUTH2 || a->auth == CONF_AUTH_OAUTHBEARER);
	if (s->oauth2 != NULL)
		check_oauth2(s->oauth2);
}

static void
check_tls(const struct conf_account *a)
{
	bool pins = a->tls_verify == CONF_VERIFY_PIN ||
	    a->tls_verify == CONF_VERIFY_BOTH;
	size_t i;

	assert(pins == (a->tls_pins.n > 0));
	assert((a->tls_cert == NULL) == (a->tls_key == NULL));
	assert(a->tls != CONF_TLS_NONE || (!pins && a->tls_cert == NULL));
	for (i = 0; i < a->tls_pins.n; i++) {
		const char *pin = a->tls_pins.v[i];

		assert(strspn(pin, "0123456789abcdef") == 64);
		assert(strlen(pin) == 64);
	}
}

static void
check_route(const struct conf_account *a)
{
	const struct conf_proxy *p = &a->proxy;

	assert((p->kind == CONF_NO_PROXY) == (p->host == NULL));
	if (p->kind != CONF_NO_PROXY)
		assert(p->port > 0 && p->port <= 65535);
	assert(p->password == NULL || p->user != NULL);
	assert(
	    p->password == NULL || !text_breaks_line(secret_span(p->password)));
	assert(p->user == NULL || !text_breaks_line(span_of(p->user)));
	assert(a->tunnel.n == 0 || a->tunnel.v[0][0] != '\0');
	assert(a->tunnel.n == 0 ||
	    (p->kind == CONF_NO_PROXY && a->bind_address == NULL &&
		a->address_family == CONF_ANY_FAMILY));
}

static void
check_account(const struct conf_account *a)
{
	char line[512];
	size_t i;

	check_wire(a->name);
	check_wire(a->host);
	check_wire(a->user);
	assert(a->host[0] != '-' && a->port > 0 && a->port <= 65535);
	assert(a->interval_s >= 10 && a->poll_s >= 10);
	assert(a->poll_s <= a->interval_s);
	assert(a->idle_renew_s >= 10 && a->idle_renew_s <= 1740);
	assert(a->max_connections >= 1 && a->max_connections <= 100);
	assert(a->retries <= 20 && a->command_timeout_s > 0);
	assert((a->mailboxes.n > 0) == (a->protocol == CONF_IMAP));
	for (i = 0; i < a->mailboxes.n; i++)
		check_wire(a->mailboxes.v[i]);
	check_login(a);
	check_tls(a);
	check_route(a);
	check_delivery(a);
	conf_summary(a, line, sizeof(line));
	assert(!text_breaks_line(span_of(line)));
}

static void
check_global(const struct conf *c)
{
	const struct conf_server *m = &c->metrics;
	size_t i;

	assert(c->log_format <= LOG_SYSLOG);
	assert(c->state_dir[0] == '/' && c->control[0] == '/');
	assert(m->socket == NULL || m->host == NULL);
	assert(m->host == NULL || m->port > 0);
	assert(c->user_accounts >= 1 && c->user_accounts <= 1000);
	assert(c->user_connections >= 1 && c->user_connections <= 1000);
	assert(c->stop_timeout_s >= 1);
	assert(c->notify_command.n == 0 || c->notify_command.v[0][0] != '\0');
	for (i = 0; i < c->users.n; i++)
		assert(strchr(c->users.v[i], '/') == NULL);
	for (i = 0; i < c->warnings.n; i++)
		assert(!text_breaks_line(span_of(c->warnings.v[i])));
}

static void
check_error(const char *text)
{
	char shown[4096];

	assert(strncmp(text, path, strlen(path)) == 0 ||
	    strncmp(text, "and ", 4) == 0);
	text_printable(shown, sizeof(shown), span_of(text));
	assert(strcmp(shown, text) == 0);
}

static void
write_file(const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0);
	assert(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* What conf_load() or conf_load_dir() has answered. */
static void
check_answer(const struct conf *c, char *const *errors, size_t n)
{
	size_t i;

	assert((c == NULL) == (n > 0));
	for (i = 0; i < n; i++)
		check_error(errors[i]);
	if (c != NULL)
		check_global(c);
	for (i = 0; c != NULL && i < c->n; i++)
		check_account(&c->accounts[i]);
}

/* Whether all of the accounts are there that this user has. */
static void
check_own(struct conf *all)
{
	struct conf *c;
	char **errors;
	size_t n, i;

	c = conf_load_dir(dir, &errors, &n);
	check_answer(c, errors, n);
	assert(c == NULL || c->n == 0 || (all != NULL && all->n == c->n));
	for (i = 0; c != NULL && i < c->n; i++)
		assert(conf_account_same(&c->accounts[i], &all->accounts[i]));
	conf_errors_free(&errors, &n);
	conf_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c;
	char **errors;
	size_t n;

	/* files of this machine would make a run differ from the next */
	if (has(data, size, "include") &&
	    (has(data, size, "/") || has(data, size, "~") ||
		has(data, size, "\\")))
		return -1;
	write_file(data, size);
	c = conf_load(path, &errors, &n);
	check_answer(c, errors, n);
	check_own(c);
	assert(c == NULL || conf_nearest(c, "acount") == NULL ||
	    conf_find(c, conf_nearest(c, "acount")) != NULL);
	conf_errors_free(&errors, &n);
	conf_free(&c);
	return 0;
}
