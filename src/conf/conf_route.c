/* SPDX-License-Identifier: ISC */
#include "conf/conf_route.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_list.h"
#include "conf/conf_value.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define LOGIN_MAX_OCTETS 255 /* RFC 1929 2: user and password, each */
#define SOCKS_PORT 1080      /* RFC 1928 3 */
#define HTTP_PORT 8080
#define ARGV_MAX_OCTETS 16384

static void
forget(char **text)
{
	free(*text);
	*text = NULL;
}

/* ---- a proxy ---- */

static void
forget_proxy(struct conf_proxy *p)
{
	free(p->host);
	free(p->user);
	secret_free(&p->password);
	*p = (struct conf_proxy){ 0 };
}

/* RFC 3986 2.1. False: that is no such text, or would break a line. */
static bool
decode(struct span s, struct buf *out)
{
	while (s.n > 0) {
		char c = *span_take(&s, 1).p;

		if (c == '%') {
			int high = s.n < 2 ? -1 : text_hex_digit(s.p[0]);
			int low = s.n < 2 ? -1 : text_hex_digit(s.p[1]);

			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			span_take(&s, 2);
		}
		if (buf_addc(out, c) < 0)
			return false;
	}
	return out->n > 0 && !text_breaks_line(buf_span(out));
}

/* "user" or "user:password", in front of the last "@". */
static const char *
read_login(struct span s, struct conf_proxy *to)
{
	bool with_password = span_find(s, ':') < s.n, good;
	struct span user = span_until(&s, ':');
	struct buf b;

	buf_init(&b, LOGIN_MAX_OCTETS);
	good = decode(user, &b);
	if (good)
		to->user = mem_spandup(buf_span(&b));
	buf_clear(&b);
	if (good && with_password) {
		good = decode(s, &b);
		to->password = good ? secret_new(buf_span(&b)) : NULL;
	}
	buf_wipe(&b);
	return good ? NULL
		    : "has a user or password that cannot be: each has 1 to "
		      "255 octets, and \":\", \"/\", \"@\" and \"%\" are "
		      "written as %3A, %2F, %40 and %25";
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static const char *
read_address(struct span s, struct conf_proxy *to)
{
	static const char wrong[] =
	    "has no such host or port: write it as "
	    "\"socks5://127.0.0.1:1080\" or \"http://[::1]:8080\"";
	bool v6 = span_skip(&s, SPAN("["));
	struct span host;
	uint64_t port;

	if (v6 && span_find(s, ']') == s.n)
		return wrong;
	host = v6 ? span_until(&s, ']') : span_take(&s, span_find(s, ':'));
	if (v6 != (span_find(host, ':') < host.n))
		return wrong;
	if (s.n > 0) {
		if (!span_skip(&s, SPAN(":")) ||
		    !text_number(&s, 65535, &port) || s.n > 0 || port == 0)
			return wrong;
		to->port = (unsigned int)port;
	}
	to->host = mem_spandup(host);
	return conf_check_host(to->host) == NULL ? NULL : wrong;
}

static bool
read_scheme(struct span *s, struct conf_proxy *to)
{
	if (span_iskip(s, SPAN("socks5://")) ||
	    span_iskip(s, SPAN("socks5h://"))) /* curl's, and what we do */
		*to = (struct conf_proxy){ .kind = CONF_SOCKS5,
			.port = SOCKS_PORT };
	else if (span_iskip(s, SPAN("http://")))
		*to = (struct conf_proxy){ .kind = CONF_HTTP_PROXY,
			.port = HTTP_PORT };
	else
		return false;
	return true;
}

static const char *
read_url(struct span s, struct conf_proxy *to)
{
	const char *wrong = NULL;
	size_t i, at;

	if (!read_scheme(&s, to))
		return "must begin with \"socks5://\" or \"http://\", or be "
		       "none";
	if (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	for (i = 0, at = s.n; i < s.n; i++) {
		if (s.p[i] == '@')
			at = i;
	}
	if (at < s.n) {
		wrong = read_login(span_take(&s, at), to);
		span_take(&s, 1);
	}
	return wrong != NULL ? wrong : read_address(s, to);
}

/* It may hold a password: nothing of it is shown. */
void
conf_read_proxy(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s), *wrong;
	struct conf_proxy *to = field;

	(void)o;
	if (value == NULL)
		return;
	forget_proxy(to);
	if (strcmp(value, "none") == 0)
		return;
	wrong = read_url(span_of(value), to);
	if (wrong != NULL)
		conf_refuse(r, s, wrong);
	if (to->password != NULL)
		conf_check_hidden(r, s, NULL);
}

/* ---- a tunnel ---- */

void
conf_read_tunnel(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *program = s->values.v[0];
	size_t i, octets = 0;

	conf_read_command(r, o, s, field);
	if (program[0] != '/' && strchr(program, '/') != NULL)
		conf_refuse_value(
		    r, s, "write the program's whole path, or its name alone");
	for (i = 0; i < s->values.n; i++)
		octets += strlen(s->values.v[i]) + 1;
	if (octets > ARGV_MAX_OCTETS)
		conf_refuse(r, s, "is too long: at most 16384 octets in all");
}

/* ---- addresses ---- */

/* CONF_ANY_FAMILY: it is a name. */
static enum conf_family
family_of(const char *s)
{
	struct in6_addr a; /* the larger one */

	if (s != NULL && inet_pton(AF_INET, s, &a) == 1)
		return CONF_IPV4;
	if (s != NULL && inet_pton(AF_INET6, s, &a) == 1)
		return CONF_IPV6;
	return CONF_ANY_FAMILY;
}

const char *
conf_check_bind(const char *s)
{
	if (family_of(s) == CONF_ANY_FAMILY)
		return "is no address: write one of this machine's in digits, "
		       "as 192.0.2.7 or 2001:db8::7";
	return NULL;
}

static bool
clash(enum conf_family a, enum conf_family b)
{
	return a != CONF_ANY_FAMILY && b != CONF_ANY_FAMILY && a != b;
}

static void
check_families(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	/* what we connect to */
	const char *peer =
	    a->proxy.kind == CONF_NO_PROXY ? a->host : a->proxy.host;
	enum conf_family bound = family_of(a->bind_address);

	if (clash(bound, a->address_family))
		conf_refuse_in(r, own, "bind-address",
		    "is of another family than address-family: change one of "
		    "them");
	else if (clash(a->address_family, family_of(peer)))
		conf_refuse_in(r, own, "address-family",
		    "excludes the address that is connected to: remove it");
	else if (clash(bound, family_of(peer)))
		conf_refuse_in(r, own, "bind-address",
		    "is of another family than the address that is connected "
		    "to: change it");
}

/* ---- what does not go together ---- */

/* A program makes the connection: these say how we would. What an account
 * says itself takes the place of what defaults say. */
static void
check_tunnel(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	static const char *const names[] = { "proxy", "bind-address",
		"address-family" };

	bool tunnel_own = conf_section_get(own, "tunnel") != NULL;
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		const struct conf_setting *s = conf_section_get(own, names[i]);

		if (s == NULL)
			continue;
		if (tunnel_own)
			conf_refuse(r, s,
			    "is of no use beside tunnel: remove one of them");
		else
			conf_list_free(&a->tunnel);
	}
	if (a->tunnel.n == 0)
		return;
	forget_proxy(&a->proxy);
	forget(&a->bind_address);
	a->address_family = CONF_ANY_FAMILY;
}

void
conf_route_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	if (a->tunnel.n > 0)
		check_tunnel(r, own, a);
	check_families(r, own, a);
}
