/* SPDX-License-Identifier: ISC */
#include "proto/sasl_choose.h"

#include "util/buf.h"

#define NAME_MAX_OCTETS 20 /* RFC 4422 3.1 */
#define NAMES_MAX_OCTETS 100

/* ---- what is offered ---- */

static bool
is_listed(const struct sasl_offer *offer, enum sasl_auth auth)
{
	struct span rest = offer->mechanisms;

	while (rest.n > 0)
		if (span_ieq(span_until(&rest, ' '), span_of(sasl_name(auth))))
			return true;
	return false;
}

static bool
lists_some(const struct sasl_offer *offer)
{
	return span_trim(offer->mechanisms).n > 0;
}

/* For a text: what is no name of RFC 4422 3.1 is left out. */
static bool
is_name(struct span word)
{
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return word.n > 0 && word.n <= NAME_MAX_OCTETS;
}

/* Returns -1, with "what" and what there is instead. */
static int
refuse(struct err *e, const struct sasl_offer *offer, const char *what,
    const char *advice)
{
	struct span rest = offer->hide ? SPAN("") : offer->mechanisms;
	struct buf names;
	struct span said;

	buf_init(&names, NAMES_MAX_OCTETS);
	while (rest.n > 0) {
		struct span word = span_until(&rest, ' ');

		if (is_name(word) && names.n + 1 + word.n <= names.max) {
			buf_addc(&names, ' ');
			buf_add(&names, word);
		}
	}
	said = buf_span(&names);
	err_set(e, ERR_AUTH, 0, "%s%s%.*s%s%s", what,
	    said.n > 0 ? "; it offers" : "", (int)said.n, said.p,
	    *advice != '\0' ? ": " : "", advice);
	buf_deinit(&names);
	return -1;
}

/* ---- auth = auto ---- */

static int
take(struct sasl_choice *choice, enum sasl_auth mechanism, const char *why)
{
	*choice = (struct sasl_choice){ .mechanism = mechanism, .why = why };
	return 0;
}

static int
take_login(struct sasl_choice *choice, bool command, const char *why)
{
	take(choice, SASL_LOGIN, why);
	choice->command = command;
	return 0;
}

static int
choose_for_token(
    const struct sasl_offer *offer, struct sasl_choice *choice, struct err *e)
{
	/* where both are offered (Google, Microsoft) the older is the one that
	 * everybody uses */
	if (is_listed(offer, SASL_XOAUTH2))
		return take(choice, SASL_XOAUTH2,
		    "the server takes access tokens by it");
	if (is_listed(offer, SASL_OAUTHBEARER))
		return take(choice, SASL_OAUTHBEARER,
		    "the server takes access tokens by it");
	if (!lists_some(offer))
		return take(choice, SASL_XOAUTH2,
		    "the server does not say how it takes access tokens");
	return refuse(e, offer, "the server takes no access token", "");
}

static bool
may_show_secret(const struct sasl_have *have)
{
	return have->tls || have->clear;
}

/*
 * The strongest first. Over TLS a PLAIN is as safe as CRAM-MD5, which only
 * works where the server keeps the password as it is, and fails more often.
 * In clear it is the other way round.
 */
static const enum sasl_auth over_tls[] = { SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1, SASL_PLAIN,
	SASL_LOGIN, SASL_CRAM_MD5 };

static const enum sasl_auth in_clear[] = { SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1,
	SASL_CRAM_MD5, SASL_PLAIN, SASL_LOGIN };

#define RANKS (sizeof(over_tls) / sizeof(over_tls[0]))

static bool
is_possible(const struct sasl_have *have, enum sasl_auth auth)
{
	if (auth == SASL_PLAIN || auth == SASL_LOGIN)
		return may_show_secret(have);
	if (sasl_is_scram(auth) && !have->scram)
		return false;
	return !sasl_binds(auth) || have->binding;
}

static int
no_way(const struct sasl_offer *offer, struct err *e)
{
	if (is_listed(offer, SASL_XOAUTH2) ||
	    is_listed(offer, SASL_OAUTHBEARER))
		return refuse(e, offer, "the server takes no password here",
		    "set oauth2, then run \"mailhaul login\"");
	return refuse(e, offer, "the server does not allow LOGIN here", "");
}

static int
choose_for_password(const struct sasl_offer *offer,
    const struct sasl_have *have, struct sasl_choice *choice, struct err *e)
{
	const enum sasl_auth *ranks = have->tls ? over_tls : in_clear;

	for (size_t i = 0; i < RANKS; i++) {
		const char *why = "the strongest of those the server offers";

		if (!is_listed(offer, ranks[i]) || !is_possible(have, ranks[i]))
			continue;
		if (ranks[i] == SASL_LOGIN)
			return take_login(choice, offer->command, why);
		return take(choice, ranks[i], why);
	}
	if (!offer->command)
		return no_way(offer, e);
	if (!may_show_secret(have))
		return refuse(e, offer,
		    "the server takes passwords in clear only, "
		    "and there is no TLS",
		    "");
	return take_login(
	    choice, true, "the server offers no SASL mechanism we know");
}

static int
choose_any(const struct sasl_offer *offer, const struct sasl_have *have,
    struct sasl_choice *choice, struct err *e)
{
	if (have->token)
		return choose_for_token(offer, choice, e);
	if (have->password || !have->certificate)
		return choose_for_password(offer, have, choice, e);
	if (is_listed(offer, SASL_EXTERNAL) || !lists_some(offer))
		return take(choice, SASL_EXTERNAL,
		    "there is a certificate and no password");
	return refuse(e, offer,
	    "there is a certificate and no password, "
	    "and the server does not offer EXTERNAL",
	    "");
}

/* ---- by name ---- */

static int
choose_login(
    const struct sasl_offer *offer, struct sasl_choice *choice, struct err *e)
{
	if (offer->command)
		return take_login(choice, true, "auth says so");
	if (is_listed(offer, SASL_LOGIN))
		return take_login(choice, false, "auth says so");
	return refuse(e, offer, "the server does not allow LOGIN here",
	    lists_some(offer) ? "set auth = auto" : "");
}

static int
choose_named(enum sasl_auth wanted, const struct sasl_offer *offer,
    const struct sasl_have *have, struct sasl_choice *choice, struct err *e)
{
	/* what is not listed may be there, if nothing is */
	if (lists_some(offer) && !is_listed(offer, wanted)) {
		struct err missing;

		err_set(&missing, ERR_AUTH, 0, "the server does not offer %s",
		    sasl_name(wanted));
		return refuse(e, offer, missing.text, "set auth = auto");
	}
	if (sasl_binds(wanted) && !have->binding)
		return err_set(e, ERR_AUTH, 0,
		    "%s needs a channel binding, which TLS before 1.3 without "
		    "extended master secrets does not give: set auth = auto",
		    sasl_name(wanted));
	return take(choice, wanted, "auth says so");
}

int
sasl_choose(enum sasl_auth wanted, const struct sasl_offer *offer,
    const struct sasl_have *have, struct sasl_choice *choice, struct err *e)
{
	if (wanted == SASL_AUTO)
		return choose_any(offer, have, choice, e);
	if (wanted == SASL_LOGIN)
		return choose_login(offer, choice, e);
	if (wanted == SASL_APOP && !offer->apop)
		return err_set(
		    e, ERR_CONFIG, 0, "APOP is for POP3: set auth = auto");
	if (wanted == SASL_APOP)
		return take(choice, SASL_APOP, "auth says so");
	return choose_named(wanted, offer, have, choice, e);
}

const char *
sasl_choose_refused(enum sasl_auth mechanism)
{
	if (sasl_binds(mechanism))
		return "the server refuses the login by SCRAM with channel "
		       "binding (is the password right? then set auth = "
		       "scram-sha-256)";
	if (sasl_is_scram(mechanism))
		return "the server refuses the login by SCRAM "
		       "(is the password right? then set auth = plain)";
	if (mechanism == SASL_CRAM_MD5)
		return "the server refuses the login by CRAM-MD5 "
		       "(is the password right? then set auth = login)";
	return "the server refuses the login";
}
