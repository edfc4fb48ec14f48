/* SPDX-License-Identifier: ISC */
#include "conf/conf_value.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "util/span.h"
#include "util/text.h"

#define WIRE_MAX_OCTETS 1024
#define PASSWORD_MAX_OCTETS 4096
#define HOST_MAX_OCTETS 253 /* RFC 1035 2.3.4, without the last dot */
#define NAME_MAX_OCTETS 64
#define ADDRESS_MAX_OCTETS 254 /* RFC 5321 4.5.3.1.3, without <> */
#define FIELD_MAX_OCTETS 76

const char *
conf_check_wire(const char *s)
{
	if (s[0] == '\0')
		return "is empty: give it a value";
	if (text_breaks_line(span_of(s)))
		return "holds a line break: remove it";
	if (strlen(s) > WIRE_MAX_OCTETS)
		return "is too long: at most 1024 octets";
	if (!text_is_utf8(span_of(s)))
		return "is not UTF-8: save the file as UTF-8";
	return NULL;
}

const char *
conf_check_password(const char *s)
{
	if (s[0] == '\0')
		return "is empty: give it a value";
	if (text_breaks_line(span_of(s)))
		return "holds a line break: remove it";
	if (strlen(s) > PASSWORD_MAX_OCTETS)
		return "is too long: at most 4096 octets";
	return NULL;
}

static bool
is_ipv6(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, s, &a) == 1;
}

static bool
in_host_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static const char *
check_host_name(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if ((unsigned char)s[i] >= 0x80)
			return "is not ASCII: write the name in its xn-- form";
		if (!in_host_name(s[i]))
			return "holds a character that no host name has: only "
			       "letters, digits, \".\", \"-\" and \"_\"";
	}
	if (s[0] == '-' || s[0] == '.' || strstr(s, "..") != NULL)
		return "is no host name: it begins with \"-\" or has an empty "
		       "part";
	return NULL;
}

const char *
conf_check_host(const char *s)
{
	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > HOST_MAX_OCTETS)
		return "is too long: at most 253 octets";
	if (s[0] == '[')
		return "has brackets: write the address without them";
	if (strchr(s, '/') != NULL)
		return "is a URL: write the host alone";
	if (strchr(s, ':') == NULL)
		return check_host_name(s);
	if (strchr(s, '%') != NULL)
		return "has a scope, as in \"%eth0\": only an address that "
		       "needs none can be reached";
	if (!is_ipv6(s))
		return "is no IPv6 address: write a port as port = NUMBER";
	return NULL;
}

const char *
conf_check_address(const char *s)
{
	char shown[4 * ADDRESS_MAX_OCTETS + 1];

	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > ADDRESS_MAX_OCTETS)
		return "is too long: an address has at most 254 octets";
	text_printable(shown, sizeof(shown), span_of(s));
	if (strcmp(shown, s) != 0 || strpbrk(s, " <>") != NULL)
		return "holds a blank, a control character, \"<\" or \">\": "
		       "write the address alone";
	return NULL;
}

const char *
conf_check_field_name(const char *s)
{
	size_t i;

	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > FIELD_MAX_OCTETS)
		return "is too long: at most 76 octets";
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] <= ' ' || s[i] > '~' || s[i] == ':')
			return "is no name of a header field: write it as "
			       "\"Delivered-To\", without a colon";
	}
	return NULL;
}

/* An address in brackets: IPv6 has a tag in front, RFC 5321 4.1.3. */
static bool
is_address_literal(struct span s)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr a; /* the larger one */
	int family = AF_INET;

	if (!span_skip(&s, SPAN("[")) || s.n == 0 || s.p[--s.n] != ']')
		return false;
	if (span_iskip(&s, SPAN("IPv6:")))
		family = AF_INET6;
	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, &a) == 1;
}

const char *
conf_check_helo(const char *s)
{
	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > HOST_MAX_OCTETS)
		return "is too long: at most 253 octets";
	if (s[0] != '[')
		return check_host_name(s);
	if (!is_address_literal(span_of(s)))
		return "is no address in brackets: write it as [192.0.2.1] or "
		       "[IPv6:2001:db8::1]";
	return NULL;
}

/* It stands in logs, on the command line and in the ledger. */
const char *
conf_check_account_name(const char *s)
{
	char shown[4 * NAME_MAX_OCTETS + 1];

	if (s[0] == '\0')
		return "is empty: give it one";
	if (strlen(s) > NAME_MAX_OCTETS)
		return "is too long: at most 64 octets";
	text_printable(shown, sizeof(shown), span_of(s));
	if (strcmp(shown, s) != 0 || strpbrk(s, " /") != NULL || s[0] == '-')
		return "holds a blank, a \"/\" or a control character, or "
		       "begins with \"-\": choose another";
	return NULL;
}

const char *
conf_check_credential(const char *s)
{
	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strchr(s, '/') != NULL || s[0] == '.')
		return "is a name in $CREDENTIALS_DIRECTORY: without \"/\" and "
		       "not beginning with \".\"";
	return NULL;
}
