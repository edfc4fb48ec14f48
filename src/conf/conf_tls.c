/* SPDX-License-Identifier: ISC */
#include "conf/conf_tls.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_list.h"
#include "util/span.h"
#include "util/text.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define PIN_OCTETS 32 /* of SHA-256 */
#define CIPHERS_MAX_OCTETS 2048

/* ---- pins ---- */

/* As openssl x509 -fingerprint prints octets, or without the colons. */
static bool
from_hex(struct span s, uint8_t out[PIN_OCTETS])
{
	size_t i;

	for (i = 0; i < PIN_OCTETS; i++) {
		int high, low;

		if (i > 0)
			span_skip(&s, SPAN(":"));
		if (s.n < 2)
			return false;
		high = text_hex_digit(s.p[0]);
		low = text_hex_digit(s.p[1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high * 16 + low);
		span_take(&s, 2);
	}
	return s.n == 0;
}

static int
base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *d = c == '\0' ? NULL : strchr(digits, c);

	return d == NULL ? -1 : (int)(d - digits);
}

/* 43 signs, and "=" that may be missing; the last two bits are nobody's. */
static bool
from_base64(struct span s, uint8_t out[PIN_OCTETS])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t i, n = 0;

	if (s.n == 44 && s.p[43] == '=')
		s.n--;
	if (s.n != 43)
		return false;
	for (i = 0; i < s.n; i++) {
		int v = base64_digit(s.p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return (bits & 3) == 0;
}

/* What people and programs put around it: ours, curl's, HPKP's. */
static struct span
bare_pin(struct span s)
{
	if (!span_iskip(&s, SPAN("sha256:")) &&
	    !span_iskip(&s, SPAN("sha256//")))
		span_iskip(&s, SPAN("pin-sha256="));
	if (s.n > 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = span_make(s.p + 1, s.n - 2);
	return s;
}

static bool
read_pin(const char *value, char out[2 * PIN_OCTETS + 1])
{
	struct span s = bare_pin(span_of(value));
	uint8_t octets[PIN_OCTETS];
	size_t i;

	if (!from_hex(s, octets) && !from_base64(s, octets))
		return false;
	for (i = 0; i < PIN_OCTETS; i++)
		snprintf(out + 2 * i, 3, "%02x", octets[i]);
	return true;
}

void
conf_read_pins(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	struct conf_list *pins = field;
	size_t i;

	(void)o;
	conf_list_free(pins);
	for (i = 0; i < s->values.n; i++) {
		char pin[2 * PIN_OCTETS + 1];

		if (read_pin(s->values.v[i], pin))
			conf_list_add(pins, pin);
		else
			conf_refuse(r, s,
			    "is no SHA-256 of a key: write \"sha256:\" and 64 "
			    "hexadecimal digits, or 44 of base64");
	}
}

/* ---- ciphers ---- */

const char *
conf_check_ciphers(const char *s)
{
	static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789"
				    ":!+-@=_.";

	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > CIPHERS_MAX_OCTETS)
		return "is too long: at most 2048 octets";
	if (s[strspn(s, signs)] != '\0')
		return "holds a sign that no list of ciphers has: write it as "
		       "\"HIGH:!aNULL\"";
	return NULL;
}

/* ---- what does not go together ---- */

/* The older ones of these options are let alone: they always were. */
static void
refuse_unused(struct conf_reader *r, const struct conf_section *own)
{
	static const char *const names[] = { "tls-ca-dir", "tls-verify",
		"tls-pin", "tls-min", "tls-ciphers", "tls-crl-file", "tls-ocsp",
		"tls-cert", "tls-key", "tls-warn-before" };

	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		const struct conf_setting *s = conf_section_get(own, names[i]);

		if (s != NULL)
			conf_refuse(
			    r, s, "is of no use with tls = none: remove it");
	}
}

static void
forget(char **text)
{
	free(*text);
	*text = NULL;
}

static void
forget_all(struct conf_account *a)
{
	forget(&a->tls_ca_dir);
	a->tls_verify = CONF_VERIFY_CHAIN;
	conf_list_free(&a->tls_pins);
	a->tls_min = CONF_TLS_1_2;
	forget(&a->tls_ciphers);
	forget(&a->tls_crl_file);
	a->tls_ocsp = CONF_OCSP_STAPLED;
	forget(&a->tls_cert);
	forget(&a->tls_key);
}

/* ---- how the server is verified ---- */

static bool
is_set(const struct conf_reader *r, const struct conf_section *own,
    const char *name)
{
	return conf_section_get(own, name) != NULL ||
	    conf_section_get(&r->tree->defaults, name) != NULL;
}

static bool
looks_at_pins(enum conf_tls_verify v)
{
	return v == CONF_VERIFY_PIN || v == CONF_VERIFY_BOTH;
}

/* An own tls-verify that looks at none has no use for the pins of defaults;
 * in all other cases somebody believes that they are looked at. */
static void
drop_pins(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	if (conf_section_get(own, "tls-pin") != NULL ||
	    conf_section_get(own, "tls-verify") == NULL)
		conf_refuse_in(r, own, "tls-pin",
		    "is looked at with tls-verify = pin or both only: use one "
		    "of them");
	conf_list_free(&a->tls_pins);
}

static void
decide_verify(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	bool pins = is_set(r, own, "tls-pin");

	if (!is_set(r, own, "tls-verify"))
		a->tls_verify = pins ? CONF_VERIFY_BOTH : CONF_VERIFY_CHAIN;
	else if (pins && !looks_at_pins(a->tls_verify))
		drop_pins(r, own, a);
	else if (!pins && looks_at_pins(a->tls_verify) && !r->tree->broken)
		conf_refuse_in(r, own, "tls-verify",
		    "looks at the server's key: add tls-pin");
}

/* TLSA records are of names. */
static void
check_dane(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	struct in6_addr v6; /* the larger one */

	if (a->tls_verify != CONF_VERIFY_DANE || a->host == NULL)
		return;
	if (inet_pton(AF_INET, a->host, &v6) == 1 ||
	    inet_pton(AF_INET6, a->host, &v6) == 1)
		conf_refuse_in(r, own, "tls-verify",
		    "= dane is for a host with a name, not an address: change "
		    "one of them");
	if (a->proxy.kind != CONF_NO_PROXY || a->tunnel.n > 0)
		conf_refuse_in(r, own, "tls-verify",
		    "= dane asks the DNS for the server, past the proxy or "
		    "tunnel: use chain or pin");
}

static void
check_pair(struct conf_reader *r, const struct conf_section *own,
    const struct conf_account *a)
{
	if (r->tree->broken)
		return;
	if (a->tls_cert != NULL && a->tls_key == NULL)
		conf_refuse_in(r, own, "tls-cert",
		    "is of no use without its key: add tls-key");
	if (a->tls_key != NULL && a->tls_cert == NULL)
		conf_refuse_in(r, own, "tls-key",
		    "is of no use without a certificate: add tls-cert");
}

void
conf_tls_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a)
{
	if (a->tls == CONF_TLS_NONE) {
		refuse_unused(r, own);
		forget_all(a);
		return;
	}
	decide_verify(r, own, a);
	check_dane(r, own, a);
	check_pair(r, own, a);
}
