/* SPDX-License-Identifier: ISC */
#include "proc/trust.h"

#include "conf/conf_file.h"
#include "io/tls_ca.h"
#include "io/tls_ctx.h"
#include "sys/file.h"
#include "util/pack.h"

#define CRL_MAX ((size_t)8 * 1024 * 1024)
#define CERT_MAX ((size_t)256 * 1024)

/* ---- from the configuration ---- */

static const enum tls_verify verifies[] = {
	[CONF_VERIFY_CHAIN] = TLS_VERIFY_CHAIN,
	[CONF_VERIFY_PIN] = TLS_VERIFY_PIN,
	[CONF_VERIFY_BOTH] = TLS_VERIFY_BOTH,
	[CONF_VERIFY_DANE] = TLS_VERIFY_DANE,
};

static unsigned int
digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

static void
add_pins(struct buf *out, const struct conf_list *pins)
{
	for (size_t i = 0; i < pins->n; i++)
		for (const char *p = pins->v[i]; p[0] != '\0' && p[1] != '\0';
		     p += 2)
			(void)buf_addc(
			    out, (char)(digit(p[0]) << 4 | digit(p[1])));
}

void
trust_of_server(struct trust *t, const struct conf_account *a)
{
	*t = (struct trust){ .ca_file = a->tls_ca_file,
		.ca_dir = a->tls_ca_dir,
		.crl_file = a->tls_crl_file,
		.cert_file = a->tls_cert,
		.key_file = a->tls_key,
		.ca_pem = a->tls_ca_pem,
		.crl_pem = a->tls_crl_pem,
		.cert_pem = a->tls_cert_pem,
		.key_pem = a->tls_key_pem,
		.foreign = a->owner != NULL,
		.rules = { .verify = verifies[a->tls_verify],
		    .ciphers = span_of(a->tls_ciphers),
		    .only_tls_1_3 = a->tls_min == CONF_TLS_1_3,
		    .ocsp_required = a->tls_ocsp == CONF_OCSP_REQUIRE,
		    .crl_file = span_of(a->tls_crl_file),
		    .cert_file = span_of(a->tls_cert),
		    .key_file = span_of(a->tls_key) } };
	buf_init(&t->pins, TRUST_MAX);
	add_pins(&t->pins, &a->tls_pins);
	t->rules.pins = buf_span(&t->pins);
}

void
trust_of_delivery(struct trust *t, const struct conf_account *a)
{
	*t = (struct trust){ .ca_file = a->delivery_tls_ca_file,
		.ca_pem = a->delivery_tls_ca_pem,
		.foreign = a->owner != NULL };
	buf_init(&t->pins, 0);
}

void
trust_deinit(struct trust *t)
{
	buf_deinit(&t->pins);
}

void
trust_print(const struct trust *t, struct buf *out)
{
	tls_rules_pack(out, &t->rules);
	pack_str(out, t->ca_file);
	pack_str(out, t->ca_dir);
	pack_u8(out, t->foreign);
}

/* ---- files ---- */

int
trust_read(
    enum trust_option option, const char *path, struct buf *out, struct err *e)
{
	static const char *const names[] = {
		[TRUST_CRL] = "tls-crl-file",
		[TRUST_CERT] = "tls-cert",
		[TRUST_KEY] = "tls-key",
	};
	struct stat st;

	buf_init(out, option == TRUST_CRL ? CRL_MAX : CERT_MAX);
	if (conf_file_read(path, out->max, out, &st, e) < 0)
		return err_prefix(e, "%s %s", names[option], path);
	if (option == TRUST_KEY && file_others_may_read(st.st_mode))
		return err_set(e, ERR_CONFIG, 0,
		    "tls-key %s can be read by others: chmod 600 it", path);
	if (out->n == 0)
		return err_set(
		    e, ERR_CONFIG, 0, "%s %s is empty", names[option], path);
	return 0;
}

struct texts {
	struct buf ca, crl, cert, key;
};

static int
refuse_foreign(const char *path, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "%s was not read by its owner", path);
}

static int
take_ca(const struct trust *t, struct buf *out, struct err *e)
{
	if (t->rules.verify == TLS_VERIFY_PIN ||
	    t->rules.verify == TLS_VERIFY_DANE)
		return 0;
	if (t->ca_pem == NULL) {
		if (t->foreign && (t->ca_file != NULL || t->ca_dir != NULL))
			return refuse_foreign("tls-ca-file", e);
		return tls_read_ca(t->ca_file, t->ca_dir, out, e);
	}
	buf_init(out, TRUST_MAX);
	return buf_add(out, span_of(t->ca_pem));
}

static int
take(const struct trust *t, enum trust_option option, const char *path,
    struct span given, struct buf *out, struct err *e)
{
	if (path == NULL)
		return 0;
	if (given.n == 0)
		return t->foreign ? refuse_foreign(path, e)
				  : trust_read(option, path, out, e);
	buf_init(out, TRUST_MAX);
	return buf_add(out, given);
}

static struct span
given_key(const struct trust *t)
{
	return t->key_pem == NULL ? SPAN("") : secret_span(t->key_pem);
}

static int
take_all(const struct trust *t, struct texts *x, struct err *e)
{
	if (take_ca(t, &x->ca, e) != 0 ||
	    take(t, TRUST_CRL, t->crl_file, span_of(t->crl_pem), &x->crl, e) !=
		0 ||
	    take(t, TRUST_CERT, t->cert_file, span_of(t->cert_pem), &x->cert,
		e) != 0)
		return -1;
	return take(t, TRUST_KEY, t->key_file, given_key(t), &x->key, e);
}

int
trust_pack(const struct trust *t, struct buf *out, struct err *e)
{
	struct tls_rules rules = t->rules;
	struct texts x;
	int r;

	buf_init(&x.ca, 0);
	buf_init(&x.crl, 0);
	buf_init(&x.cert, 0);
	buf_init(&x.key, 0);
	r = take_all(t, &x, e);
	rules.ca = buf_span(&x.ca);
	rules.crl = buf_span(&x.crl);
	rules.cert = buf_span(&x.cert);
	rules.key = buf_span(&x.key);
	if (r == 0)
		tls_rules_pack(out, &rules);
	buf_deinit(&x.ca);
	buf_deinit(&x.crl);
	buf_deinit(&x.cert);
	buf_wipe(&x.key);
	return r;
}

static int
check_identity(const struct trust *t, struct err *e)
{
	/* that needs nobody to trust */
	struct tls_rules rules = { .verify = TLS_VERIFY_DANE,
		.cert_file = t->rules.cert_file,
		.key_file = t->rules.key_file };
	struct tls_ctx *ctx = NULL;
	struct buf cert, key;

	buf_init(&key, 0);
	if (trust_read(TRUST_CERT, t->cert_file, &cert, e) == 0 &&
	    trust_read(TRUST_KEY, t->key_file, &key, e) == 0) {
		rules.cert = buf_span(&cert);
		rules.key = buf_span(&key);
		ctx = tls_ctx_new(&rules, e);
	}
	buf_deinit(&cert);
	buf_wipe(&key);
	if (ctx == NULL)
		return -1;
	tls_ctx_free(&ctx);
	return 0;
}

int
trust_check(const struct conf_account *a, struct err *e)
{
	struct trust t;
	int r = 0;

	trust_of_server(&t, a);
	if (t.rules.ciphers.n > 0)
		r = tls_ctx_check_ciphers(t.rules.ciphers, e);
	if (r == 0 && t.cert_file != NULL && t.key_file != NULL && !t.foreign)
		r = check_identity(&t, e);
	trust_deinit(&t);
	return r;
}
