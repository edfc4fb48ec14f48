/* SPDX-License-Identifier: ISC */
#include "proto/autoconfig.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define XML_MAX ((size_t)1024 * 1024)
#define DEPTH_MAX 32
#define TEXT_MAX 512
#define PORT_MAX 65535
#define PATH_DEPTH 3 /* of incomingServer; what it has is one deeper */

/* Elements of an incomingServer. */
enum field { HOSTNAME, PORT, SOCKET_TYPE, USERNAME, AUTHENTICATION, FIELDS };

static const char *const field_names[] = { "hostname", "port", "socketType",
	"username", "authentication" };

/* Where a server is. */
static const char *const path[] = { "clientConfig", "emailProvider",
	"incomingServer" };

struct reading {
	XML_Parser parser;
	const char *address;
	struct autoconfig *to;
	unsigned int depth;
	unsigned int
	    on_path;    /* so many of the open elements are those of path */
	bool is_config; /* the root is clientConfig */
	bool has_doctype, too_deep;
	/* the server that is open */
	struct autoconfig_server server;
	bool wanted, has[FIELDS], clear;
	/* the element of it that is open; FIELDS: none */
	enum field field;
	struct buf text;
};

/* ---- values ---- */

/* The text of a placeholder, or false. */
static bool
fill(const struct reading *r, struct span *rest, struct buf *out)
{
	struct span domain = span_of(strrchr(r->address, '@'));
	struct span local = span_of(r->address);

	local.n -= domain.n;
	(void)span_skip(&domain, SPAN("@"));
	if (span_skip(rest, SPAN("%EMAILADDRESS%")))
		return buf_add(out, span_of(r->address)) == 0;
	if (span_skip(rest, SPAN("%EMAILLOCALPART%")))
		return buf_add(out, local) == 0;
	if (span_skip(rest, SPAN("%EMAILDOMAIN%")))
		return buf_add(out, domain) == 0;
	return false;
}

/* With the placeholders filled in; false if it is too long, empty, or has
 * others. dst has room for size. */
static bool
expand(const struct reading *r, struct span s, char *dst, size_t size)
{
	struct buf b;
	bool good = true;

	buf_init(&b, size - 1);
	while (good && s.n > 0) {
		if (s.p[0] == '%')
			good = fill(r, &s, &b);
		else
			good = buf_add(&b, span_take(&s, 1)) == 0;
	}
	good = good && b.n > 0;
	if (good) {
		memcpy(dst, buf_span(&b).p, b.n);
		dst[b.n] = '\0';
	}
	buf_deinit(&b);
	return good;
}

static bool
take_host(struct reading *r, struct span s)
{
	char *host = r->server.host;

	return expand(r, s, host, sizeof(r->server.host)) &&
	    strspn(host,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(host);
}

static bool
take_user(struct reading *r, struct span s)
{
	char *user = r->server.user;
	char shown[4 * AUTOCONFIG_USER_MAX];

	return expand(r, s, user, sizeof(r->server.user)) &&
	    strcmp(text_printable(shown, sizeof(shown), span_of(user)), user) ==
	    0;
}

static bool
take_port(struct reading *r, struct span s)
{
	uint64_t port;

	if (!text_number(&s, PORT_MAX, &port) || s.n > 0 || port == 0)
		return false;
	r->server.port = (unsigned int)port;
	return true;
}

static bool
take_socket_type(struct reading *r, struct span s)
{
	r->clear = span_ieq(s, SPAN("plain"));
	if (span_ieq(s, SPAN("STARTTLS")))
		r->server.tls = AUTOCONFIG_STARTTLS;
	else if (span_ieq(s, SPAN("SSL")) || span_ieq(s, SPAN("TLS")))
		r->server.tls = AUTOCONFIG_IMPLICIT;
	else
		return false;
	return true;
}

/* There may be several. What is neither a password nor a token (GSSAPI,
 * client certificates) is passed over. */
static bool
take_authentication(struct reading *r, struct span s)
{
	static const char *const passwords[] = { "password-cleartext",
		"password-encrypted", "plain", "secure" };

	if (span_ieq(s, SPAN("OAuth2")))
		r->server.oauth2 = true;
	for (size_t i = 0; i < sizeof(passwords) / sizeof(*passwords); i++)
		if (span_ieq(s, span_of(passwords[i])))
			r->server.password = true;
	return true;
}

static bool
take(struct reading *r, enum field field, struct span s)
{
	switch (field) {
	case HOSTNAME:
		return take_host(r, s);
	case PORT:
		return take_port(r, s);
	case SOCKET_TYPE:
		return take_socket_type(r, s);
	case USERNAME:
		return take_user(r, s);
	case AUTHENTICATION:
		return take_authentication(r, s);
	case FIELDS:
		break;
	}
	return false;
}

/* ---- elements ---- */

static const char *
attribute(const char **attributes, const char *name)
{
	for (; *attributes != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return "";
}

static void
begin_server(struct reading *r, const char *type)
{
	memset(&r->server, 0, sizeof(r->server));
	memset(r->has, 0, sizeof(r->has));
	r->clear = false;
	r->wanted = strcmp(type, "imap") == 0 || strcmp(type, "pop3") == 0;
	r->server.protocol =
	    strcmp(type, "pop3") == 0 ? AUTOCONFIG_POP3 : AUTOCONFIG_IMAP;
}

static void
end_server(struct reading *r)
{
	struct autoconfig *to = r->to;

	to->clear = to->clear || (r->wanted && r->clear);
	if (r->wanted && r->has[HOSTNAME] && r->has[PORT] &&
	    r->has[SOCKET_TYPE] && r->has[USERNAME] &&
	    to->n < AUTOCONFIG_SERVERS_MAX)
		to->servers[to->n++] = r->server;
	r->wanted = false;
}

static void
begin_field(struct reading *r, const char *name)
{
	for (r->field = 0; r->field < FIELDS; r->field++)
		if (strcmp(field_names[r->field], name) == 0)
			break;
	buf_clear(&r->text);
}

/* The first of a kind counts. */
static void
end_field(struct reading *r)
{
	enum field field = r->field;

	r->field = FIELDS;
	if (field >= FIELDS || r->has[field])
		return;
	r->has[field] = take(r, field, span_trim(buf_span(&r->text)));
	if (field == AUTHENTICATION)
		r->has[field] = false;
}

static void
on_start(void *arg, const char *name, const char **attributes)
{
	struct reading *r = arg;
	unsigned int at = r->depth++;

	if (r->depth > DEPTH_MAX) {
		r->too_deep = true;
		XML_StopParser(r->parser, XML_FALSE);
	} else if (r->on_path == at && at < PATH_DEPTH &&
	    strcmp(name, path[at]) == 0) {
		r->on_path++;
		r->is_config = true;
		if (r->on_path == PATH_DEPTH)
			begin_server(r, attribute(attributes, "type"));
	} else if (r->on_path == PATH_DEPTH && at == PATH_DEPTH) {
		begin_field(r, name);
	} else {
		r->field = FIELDS; /* an element inside of a value spoils it */
	}
}

static void
on_end(void *arg, const char *name)
{
	struct reading *r = arg;

	(void)name;
	r->depth--;
	if (r->on_path == PATH_DEPTH && r->depth == PATH_DEPTH)
		end_field(r);
	if (r->on_path <= r->depth)
		return;
	if (r->on_path == PATH_DEPTH)
		end_server(r);
	r->on_path = r->depth;
}

/* What is too long is no value: it ends the element. */
static void
on_text(void *arg, const char *p, int n)
{
	struct reading *r = arg;

	if (r->field != FIELDS &&
	    buf_add(&r->text, span_make(p, (size_t)n)) != 0)
		r->field = FIELDS;
}

static void
on_doctype(void *arg, const char *name, const char *system_id,
    const char *public_id, int has_subset)
{
	struct reading *r = arg;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	r->has_doctype = true;
	XML_StopParser(r->parser, XML_FALSE);
}

/* ---- the file ---- */

static int
judge(const struct reading *r, enum XML_Status status, struct err *e)
{
	if (r->has_doctype)
		return err_set(e, ERR_PROTO, 0,
		    "it has a document type, which no such file needs");
	if (r->too_deep)
		return err_set(e, ERR_PROTO, 0, "it is nested too deeply");
	if (status != XML_STATUS_OK)
		return err_set(e, ERR_PROTO, 0, "it is no XML: %s in line %lu",
		    XML_ErrorString(XML_GetErrorCode(r->parser)),
		    (unsigned long)XML_GetCurrentLineNumber(r->parser));
	if (!r->is_config)
		return err_set(e, ERR_PROTO, 0,
		    "it is another kind of file: it does not begin with "
		    "<clientConfig>");
	return 0;
}

int
autoconfig_read(
    struct span xml, const char *address, struct autoconfig *out, struct err *e)
{
	struct reading r = { .address = address, .to = out, .field = FIELDS };
	enum XML_Status status;
	int done;

	*out = (struct autoconfig){ 0 };
	if (strchr(address, '@') == NULL)
		return err_set(e, ERR_CONFIG, 0, "that is no address");
	if (xml.n > XML_MAX)
		return err_set(e, ERR_PROTO, 0, "it is too long");
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL)
		return err_set(e, ERR_TEMP, 0, "there is no memory for it");
	buf_init(&r.text, TEXT_MAX);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	status = XML_Parse(r.parser, xml.p, (int)xml.n, XML_TRUE);
	done = judge(&r, status, e);
	XML_ParserFree(r.parser);
	buf_deinit(&r.text);
	return done;
}

const struct autoconfig_server *
autoconfig_best(const struct autoconfig *a, enum autoconfig_protocol protocol)
{
	const struct autoconfig_server *best = NULL;

	for (size_t i = 0; i < a->n; i++) {
		const struct autoconfig_server *s = &a->servers[i];

		if (s->protocol == protocol &&
		    (best == NULL || s->tls < best->tls))
			best = s;
	}
	return best;
}
