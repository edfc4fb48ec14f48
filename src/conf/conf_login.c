/* SPDX-License-Identifier: ISC */
#include "conf/conf_login.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/conf_account.h"
#include "conf/conf_delivery_kind.h"
#include "conf/conf_options.h"
#include "util/mem.h"

const char *const conf_sources[] = { "password", "password-file",
	"password-command", "password-credential", "password-netrc", "oauth2",
	"token-command", NULL };

/* ---- .netrc ---- */

void
conf_read_netrc(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	static char path[] = "~/.netrc";
	static char *values[] = { path, NULL };
	struct conf_setting file = *s;
	bool yes = false;

	conf_read_bool(r, o, s, &yes);
	if (!yes)
		return;
	file.values = (struct conf_list){ values, 1 };
	conf_read_path(r, o, &file, field);
}

void
conf_read_netrc_file(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	char **path = field;

	if (*path != NULL)
		conf_read_path(r, o, s, field);
}

/* ---- what a mechanism needs ---- */

enum need { ANYTHING, A_PASSWORD, A_TOKEN, NOTHING };

static enum need
needs(enum conf_auth auth)
{
	switch (auth) {
	case CONF_AUTH_AUTO:
	case CONF_AUTHS:
		return ANYTHING;
	case CONF_AUTH_PLAIN:
	case CONF_AUTH_LOGIN:
	case CONF_AUTH_CRAM_MD5:
	case CONF_AUTH_SCRAM_SHA_1:
	case CONF_AUTH_SCRAM_SHA_1_PLUS:
	case CONF_AUTH_SCRAM_SHA_256:
	case CONF_AUTH_SCRAM_SHA_256_PLUS:
	case CONF_AUTH_APOP:
		return A_PASSWORD;
	case CONF_AUTH_XOAUTH2:
	case CONF_AUTH_OAUTHBEARER:
		return A_TOKEN;
	case CONF_AUTH_EXTERNAL:
	case CONF_AUTH_GSSAPI:
		return NOTHING;
	}
	return ANYTHING;
}

static bool
gives_token(const struct conf_secret *s)
{
	return s->oauth2 != NULL || s->token_command.n > 0;
}

/* A password-command may print what it likes. */
static bool
gives_password_alone(const struct conf_secret *s)
{
	return s->file != NULL || s->credential != NULL || s->literal != NULL ||
	    s->netrc != NULL;
}

/* "auth = NAME text" */
static void
refuse_auth(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a, const char *text)
{
	char *full = mem_printf("= %s %s", conf_auth_name(a->auth), text);

	conf_refuse_in(r, own, "auth", full);
	free(full);
}

static void
check_token(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	if (gives_password_alone(&a->secret))
		refuse_auth(r, own, a,
		    "wants a token, which a password is not: use oauth2 or "
		    "token-command");
	else if (!gives_token(&a->secret) && a->secret.command.n == 0 &&
	    !r->tree->broken)
		refuse_auth(
		    r, own, a, "wants a token: add oauth2 or token-command");
}

/* What defaults say of passwords is not for this account. */
static void
want_nothing(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	size_t i;

	for (i = 0; conf_sources[i] != NULL; i++) {
		const struct conf_setting *s =
		    conf_section_get(own, conf_sources[i]);
		char text[80];

		snprintf(text, sizeof(text),
		    "is of no use with auth = %s: remove it",
		    conf_auth_name(a->auth));
		if (s != NULL)
			conf_refuse(r, s, text);
	}
	conf_secret_deinit(&a->secret);
	if (a->auth == CONF_AUTH_EXTERNAL && a->tls_cert == NULL &&
	    !r->tree->broken)
		refuse_auth(r, own, a,
		    "shows a certificate of ours: add tls-cert and tls-key");
}

/* ---- what may not be heard ---- */

/* RFC 6750 5.3: a token is good for whoever has it. */
static void
check_clear(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	const struct conf_server server = { .host = a->host };
	bool token = gives_token(&a->secret) || needs(a->auth) == A_TOKEN;

	if (!token || a->tls != CONF_TLS_NONE || a->tunnel.n > 0 ||
	    conf_server_is_here(&server))
		return;
	conf_refuse_in(r, own, "tls",
	    "= none would send the token in clear: use implicit or starttls");
}

void
conf_login_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	const struct conf_setting *netrc = conf_section_get(own, "netrc-file");

	if (netrc != NULL && a->secret.netrc == NULL)
		conf_refuse(r, netrc,
		    "is for password-netrc: add password-netrc = yes");
	if (a->auth == CONF_AUTH_APOP && a->protocol == CONF_IMAP)
		refuse_auth(
		    r, own, a, "is for POP3: use another, or protocol = pop3");
	switch (needs(a->auth)) {
	case ANYTHING:
		break;
	case A_PASSWORD:
		if (gives_token(&a->secret))
			refuse_auth(r, own, a,
			    "wants a password, which a token is not: use "
			    "xoauth2 or oauthbearer, or remove it");
		break;
	case A_TOKEN:
		check_token(r, own, a);
		break;
	case NOTHING:
		want_nothing(r, own, a);
		break;
	}
	check_clear(r, own, a);
}
