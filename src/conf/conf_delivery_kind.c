/* SPDX-License-Identifier: ISC */
#include "conf/conf_delivery_kind.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "conf/conf_list.h"
#include "conf/conf_template.h"
#include "conf/conf_value.h"
#include "util/mem.h"
#include "util/text.h"

#define ARGV_MAX_OCTETS 16384 /* with four more for each argument */

/* ---- programs ---- */

static void
check_program(struct conf_reader *r, const struct conf_setting *s)
{
	const char *program = s->values.v[0];

	if (conf_template_has_any(program))
		conf_refuse_value(
		    r, s, "the program's name can hold no placeholder");
	else if (program[0] != '/' && strchr(program, '/') != NULL)
		conf_refuse_value(
		    r, s, "write the program's whole path, or its name alone");
}

static void
check_arguments(struct conf_reader *r, const struct conf_setting *s)
{
	size_t i, octets = 0;
	struct err e;

	for (i = 0; i < s->values.n; i++) {
		const char *argument = s->values.v[i];

		octets += strlen(argument) + 4;
		if (conf_template_check(argument, &e) == 0)
			continue;
		err_prefix(&e, "= \"%s\"", argument);
		conf_refuse(r, s, e.text);
	}
	if (octets > ARGV_MAX_OCTETS)
		conf_refuse(r, s, "is too long: at most 16384 octets in all");
}

void
conf_read_mda(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	conf_read_command(r, o, s, field);
	check_program(r, s);
	check_arguments(r, s);
}

/* "CODE" or "FIRST-LAST". */
static bool
read_range(struct span s, uint64_t *first, uint64_t *last)
{
	if (!text_number(&s, 255, first))
		return false;
	*last = *first;
	if (span_skip(&s, SPAN("-")) && !text_number(&s, 255, last))
		return false;
	return s.n == 0 && *first <= *last;
}

static bool
read_exit(const char *value, uint8_t exits[256])
{
	/* in the order of the enum */
	static const char *const verdicts[] = { "accept", "later", "hold" };
	struct span verdict = span_of(value);
	struct span codes = span_until(&verdict, '=');
	uint64_t first, last;
	unsigned int i;

	for (i = 0; i <= CONF_EXIT_HOLD; i++) {
		if (span_eq(verdict, span_of(verdicts[i])))
			break;
	}
	if (i > CONF_EXIT_HOLD || !read_range(codes, &first, &last))
		return false;
	memset(exits + first, (int)i, last - first + 1);
	return true;
}

void
conf_read_exits(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	size_t i;

	(void)o;
	for (i = 0; i < s->values.n; i++) {
		char *text;

		if (read_exit(s->values.v[i], field))
			continue;
		text = mem_printf("= \"%s\": write \"CODE=VERDICT\" or "
				  "\"FIRST-LAST=VERDICT\", with codes from 0 "
				  "to 255 and accept, later or hold",
		    s->values.v[i]);
		conf_refuse(r, s, text);
		free(text);
	}
}

/* ---- servers ---- */

static const char *
read_socket(struct span path, struct conf_server *to)
{
	struct sockaddr_un address;

	if (path.n == 0 || path.p[0] != '/')
		return "names no socket: its path must begin with \"/\"";
	if (path.n >= sizeof(address.sun_path))
		return "is too long for a socket: at most 107 octets";
	to->socket = mem_spandup(path);
	return NULL;
}

/* "host", "host:port", "[v6]" or "[v6]:port"; the port may be left out. */
static bool
cut_host(struct span s, struct span *host, uint64_t *port)
{
	if (span_skip(&s, SPAN("["))) {
		if (span_find(s, ']') == s.n)
			return false;
		*host = span_until(&s, ']');
		if (span_find(*host, ':') == host->n)
			return false;
	} else {
		*host = span_take(&s, span_find(s, ':'));
	}
	*port = 0;
	if (host->n == 0 || s.n == 0)
		return host->n > 0;
	return span_skip(&s, SPAN(":")) && text_number(&s, 65535, port) &&
	    s.n == 0 && *port > 0;
}

static const char *
read_host(struct span s, struct conf_server *to)
{
	struct span host;
	uint64_t port;

	if (!cut_host(s, &host, &port))
		return "is no server: write unix:/path, host, host:port or "
		       "[IPv6 address]:port";
	to->host = mem_spandup(host);
	to->port = (unsigned int)port;
	return conf_check_host(to->host);
}

/* The port is 0 if there is none: the default depends on the protocol. */
void
conf_read_server(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	const char *value = conf_single(r, s), *wrong;
	struct conf_server *to = field;
	struct span rest = span_of(value);

	(void)o;
	if (value == NULL)
		return;
	free(to->socket);
	free(to->host);
	*to = (struct conf_server){ 0 };
	if (span_skip(&rest, SPAN("unix:")) || value[0] == '/')
		wrong = read_socket(rest, to);
	else
		wrong = read_host(rest, to);
	if (wrong != NULL)
		conf_refuse(r, s, wrong);
}

bool
conf_server_is_here(const struct conf_server *s)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (s->host == NULL || strcasecmp(s->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, s->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, s->host, &v6) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&v6);
}

/* ---- the envelope, and the trace ---- */

void
conf_read_addresses(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	size_t i;

	(void)o;
	for (i = 0; i < s->values.n; i++) {
		const char *wrong = conf_check_address(s->values.v[i]);

		if (wrong != NULL)
			conf_refuse(r, s, wrong);
	}
	conf_list_copy(field, &s->values);
}

void
conf_read_trace(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	struct conf_account *a = field;
	bool bad = false;
	size_t i;

	(void)o;
	a->trace_received = a->trace_delivered_to = a->trace_source = false;
	for (i = 0; i < s->values.n; i++) {
		const char *word = s->values.v[i];

		if (strcmp(word, "received") == 0)
			a->trace_received = true;
		else if (strcmp(word, "delivered-to") == 0)
			a->trace_delivered_to = true;
		else if (strcmp(word, "source") == 0)
			a->trace_source = true;
		else if (strcmp(word, "none") != 0 || s->values.n > 1)
			bad = true;
	}
	if (bad)
		conf_refuse(r, s,
		    "is a list of received, delivered-to and source, or none "
		    "alone");
}
