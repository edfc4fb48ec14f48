/* SPDX-License-Identifier: ISC */
#include "proc/setup_section.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf_value.h"
#include "util/text.h"

#define NAME_MAX_OCTETS 64 /* of an account */

/* ---- providers ---- */

static const unsigned int ports[][2] = {
	[CONF_IMAP] = { [CONF_TLS_IMPLICIT] = 993, [CONF_TLS_STARTTLS] = 143 },
	[CONF_POP3] = { [CONF_TLS_IMPLICIT] = 995, [CONF_TLS_STARTTLS] = 110 },
};

bool
setup_found_provider(struct setup_found *f, const struct provider *p,
    const char *address, bool pop3)
{
	bool by_pop3 = p->pop3 != NULL && (pop3 || p->imap == NULL);
	const char *host = by_pop3 ? p->pop3 : p->imap;

	*f = (struct setup_found){ .provider = p };
	if (host == NULL)
		return false;
	f->protocol = by_pop3 ? CONF_POP3 : CONF_IMAP;
	f->tls = p->starttls ? CONF_TLS_STARTTLS : CONF_TLS_IMPLICIT;
	f->port = ports[f->protocol][f->tls];
	if (!by_pop3 && p->imap_port != 0)
		f->port = p->imap_port;
	f->password = !p->only_oauth2;
	f->oauth2 = p->oauth2 != NULL;
	(void)snprintf(f->host, sizeof(f->host), "%s", host);
	(void)snprintf(f->user, sizeof(f->user), "%.*s",
	    p->local_part ? (int)strcspn(address, "@") : (int)strlen(address),
	    address);
	(void)snprintf(f->where, sizeof(f->where),
	    "%s: mailhaul knows its servers", p->name);
	return true;
}

/* ---- between processes ---- */

const char *
setup_found_check(const struct setup_found *f)
{
	const char *wrong = conf_check_host(f->host);
	char shown[4 * sizeof(f->user)];

	text_printable(shown, sizeof(shown), span_of(f->user));
	if (wrong == NULL && strcmp(shown, f->user) != 0)
		wrong = "is not printable";

	if (wrong == NULL)
		wrong = conf_check_wire(f->user);
	if (wrong == NULL && (f->port == 0 || f->port > 65535))
		wrong = "is no port";
	if (wrong == NULL && f->tls != CONF_TLS_IMPLICIT &&
	    f->tls != CONF_TLS_STARTTLS)
		wrong = "is not TLS";
	return wrong;
}

void
setup_found_pack(struct buf *b, const struct setup_found *f)
{
	pack_u8(b, (uint8_t)f->protocol);
	pack_u8(b, (uint8_t)f->tls);
	pack_u32(b, f->port);
	pack_str(b, f->host);
	pack_str(b, f->user);
	pack_u8(b, f->password);
	pack_u8(b, f->oauth2);
	pack_u8(b, f->foreign);
	pack_str(b, f->where);
	pack_str(b, f->provider == NULL ? "" : f->provider->mx);
}

static void
unpack_text(struct unpack *u, char *dst, size_t size)
{
	struct span s = unpack_span(u);

	if (s.n >= size || text_breaks_line(s)) {
		u->bad = true;
		s.n = 0;
	}
	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
}

/* A provider is known by its words, and its own table has the rest. */
static const struct provider *
provider_of(struct span mx)
{
	for (const struct provider *p = providers_all(); p->name != NULL; p++)
		if (mx.n > 0 && span_eq(span_of(p->mx), mx))
			return p;
	return NULL;
}

bool
setup_found_unpack(struct unpack *u, struct setup_found *f)
{
	uint8_t protocol = unpack_u8(u);

	*f = (struct setup_found){ 0 };
	f->protocol = protocol == CONF_POP3 ? CONF_POP3 : CONF_IMAP;
	f->tls = (enum conf_tls)unpack_u8(u);
	f->port = unpack_u32(u);
	unpack_text(u, f->host, sizeof(f->host));
	unpack_text(u, f->user, sizeof(f->user));
	f->password = unpack_u8(u) != 0;
	f->oauth2 = unpack_u8(u) != 0;
	f->foreign = unpack_u8(u) != 0;
	unpack_text(u, f->where, sizeof(f->where));
	f->provider = provider_of(unpack_span(u));
	return unpack_ok(u) && setup_found_check(f) == NULL;
}

/* ---- text ---- */

/* In quotes only these two are more than themselves. */
static void
put_quoted(struct buf *out, const char *s)
{
	(void)buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)buf_addc(out, '\\');
		(void)buf_addc(out, *s);
	}
	(void)buf_addc(out, '"');
}

static void
put_comment(struct buf *out, const char *indent, const char *text)
{
	char shown[SETUP_WHERE_MAX * 4];

	(void)buf_printf(out, "%s# %s\n", indent,
	    text_printable(shown, sizeof(shown), span_of(text)));
}

static void
put_option(struct buf *out, const char *name, const char *value)
{
	(void)buf_printf(out, "    %-8s = ", name);
	put_quoted(out, value);
	(void)buf_addc(out, '\n');
}

/* The address, if that can be the name of an account, else something like
 * it. */
static void
name_account(char *dst, size_t size, const char *address)
{
	(void)snprintf(dst, size, "%s", address);
	if (conf_check_account_name(dst) == NULL)
		return;
	for (size_t i = 0; dst[i] != '\0'; i++)
		if (!text_is_plain(dst[i]) || dst[i] == '/' ||
		    (i == 0 && dst[i] == '-'))
			dst[i] = '_';
}

static void
put_notes(struct buf *out, const struct setup_found *f)
{
	const struct provider *p = f->provider;

	if (f->foreign) {
		put_comment(out, "",
		    "The DNS is not signed: check that this host is your "
		    "provider's, before it");
		put_comment(out, "", "gets your password.");
	}
	if (p == NULL)
		return;
	for (size_t i = 0; i < PROVIDER_NOTES && p->notes[i] != NULL; i++)
		put_comment(out, "", p->notes[i]);
}

/* Without a client-id of the user's own it can do nothing. */
static void
put_oauth2_section(struct buf *out, const struct provider *p)
{
	put_comment(out, "",
	    "How to get a client-id is in mailhaul-providers(7). If you have "
	    "such a section");
	put_comment(out, "", "already, leave this one out.");
	(void)buf_printf(out, "oauth2 %s {\n", p->oauth2);
	put_option(out, "client-id", "YOUR-CLIENT-ID");
	(void)buf_printf(out, "}\n\n");
}

static void
put_password(struct buf *out, const char *name)
{
	put_comment(out, "    ", "where the password is: one of");
	(void)buf_printf(out, "    # password-command = {\"pass\", \"show\", ");
	put_quoted(out, name);
	(void)buf_printf(out, "}\n    # password-file = ");
	(void)buf_printf(out, "\"~/.config/mailhaul/password\"\n");
}

static void
put_login(struct buf *out, const struct setup_found *f, const char *name)
{
	const struct provider *p = f->provider;
	bool preset = p != NULL && p->oauth2 != NULL;

	if (preset && p->only_oauth2) {
		(void)buf_printf(out, "    oauth2   = %s\n", p->oauth2);
		put_comment(out, "    ",
		    "then, once: mailhaul login, with the name of this "
		    "account");
		return;
	}
	if (f->password || !f->oauth2)
		put_password(out, name);
	if (preset)
		(void)buf_printf(out,
		    "    # or oauth2 = %s, see mailhaul-providers(7)\n",
		    p->oauth2);
	else if (f->oauth2)
		put_comment(out, "    ",
		    "it takes OAuth2: oauth2 = NAME of a section, see "
		    "mailhaul.conf(5)");
}

void
setup_section_put(
    struct buf *out, const struct setup_found *f, const char *address)
{
	char name[NAME_MAX_OCTETS + 1];

	name_account(name, sizeof(name), address);
	put_comment(out, "", f->where);
	put_notes(out, f);
	if (f->provider != NULL && f->provider->only_oauth2)
		put_oauth2_section(out, f->provider);
	(void)buf_printf(out, "account ");
	put_quoted(out, name);
	(void)buf_printf(out, " {\n    protocol = %s\n",
	    f->protocol == CONF_POP3 ? "pop3" : "imap");
	put_option(out, "host", f->host);
	if (f->port != ports[f->protocol][f->tls])
		(void)buf_printf(out, "    port     = %u\n", f->port);
	if (f->tls == CONF_TLS_STARTTLS)
		(void)buf_printf(out, "    tls      = starttls\n");
	put_option(out, "user", f->user);
	put_login(out, f, name);
	put_option(out, "maildir", "~/Maildir");
	(void)buf_printf(out, "}\n");
}
