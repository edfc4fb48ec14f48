/* SPDX-License-Identifier: ISC */
#include "conf/conf_oauth2.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_account.h"
#include "conf/conf_value.h"
#include "util/mem.h"
#include "util/span.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define URL_MAX_OCTETS 2000
#define SCOPES_MAX_OCTETS 2000

/* ---- presets ---- */

#define TENANT "{tenant}"
#define ENTRA "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/"
#define OUTLOOK(scope) "https://outlook.office.com/" scope " offline_access"
#define FASTMAIL(scope) "https://www.fastmail.com/dev/protocol-" scope

/* NULL scopes: the provider has no OAuth2 for that protocol. Google's device
 * flow is for other scopes than mail's, and Yandex's is none of RFC 8628. */
static const struct preset {
	const char *name;
	const char *scopes[2]; /* by enum conf_protocol */
	const char *device_url, *auth_url, *token_url;
	const char *registrar;
} presets[] = {
	{
	    .name = "google",
	    .scopes = { "https://mail.google.com/",
		"https://mail.google.com/" },
	    .auth_url = "https://accounts.google.com/o/oauth2/v2/auth",
	    .token_url = "https://oauth2.googleapis.com/token",
	    .registrar = "https://console.cloud.google.com/auth/clients",
	},
	{
	    .name = "microsoft",
	    .scopes = { OUTLOOK("IMAP.AccessAsUser.All"),
		OUTLOOK("POP.AccessAsUser.All") },
	    .device_url = ENTRA "devicecode",
	    .auth_url = ENTRA "authorize",
	    .token_url = ENTRA "token",
	    .registrar = "https://entra.microsoft.com/",
	},
	{
	    .name = "yahoo",
	    .scopes = { "mail-w", "mail-w" },
	    .auth_url = "https://api.login.yahoo.com/oauth2/request_auth",
	    .token_url = "https://api.login.yahoo.com/oauth2/get_token",
	    .registrar = "https://developer.yahoo.com/apps/",
	},
	{
	    .name = "aol",
	    .scopes = { "mail-w", "mail-w" },
	    .auth_url = "https://api.login.aol.com/oauth2/request_auth",
	    .token_url = "https://api.login.aol.com/oauth2/get_token",
	    .registrar = "https://developer.yahoo.com/apps/",
	},
	{
	    .name = "fastmail",
	    .scopes = { FASTMAIL("imap"), FASTMAIL("pop") },
	    .auth_url = "https://api.fastmail.com/oauth/authorize",
	    .token_url = "https://api.fastmail.com/oauth/refresh",
	    .registrar = "https://www.fastmail.com/for-developers/oauth/",
	},
	{
	    .name = "mailru",
	    .scopes = { "mail.imap", NULL },
	    .auth_url = "https://o2.mail.ru/login",
	    .token_url = "https://o2.mail.ru/token",
	    .registrar = "https://o2.mail.ru/app/",
	},
	{
	    .name = "yandex",
	    .scopes = { "mail:imap_full", NULL },
	    .auth_url = "https://oauth.yandex.com/authorize",
	    .token_url = "https://oauth.yandex.com/token",
	    .registrar = "https://oauth.yandex.com/",
	},
};

const char *const *
conf_oauth2_presets(void)
{
	static const char *names[COUNT(presets) + 1];
	size_t i;

	for (i = 0; i < COUNT(presets); i++)
		names[i] = presets[i].name;
	return names;
}

static const struct preset *
find_preset(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(presets); i++) {
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	}
	return NULL;
}

/* ---- values ---- */

/* RFC 3986 has no other octets; a fragment goes nowhere. */
static const char *
check_url(const char *s)
{
	struct span rest = span_of(s);
	size_t i;

	if (!span_iskip(&rest, SPAN("https://")) || rest.n == 0 ||
	    rest.p[0] == '/')
		return "must begin with \"https://\" and a host: what goes "
		       "there is secret";
	if (strlen(s) > URL_MAX_OCTETS)
		return "is too long: at most 2000 octets";
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] <= ' ' || s[i] > '~' || strchr("\"<>\\^`#", s[i]))
			return "holds a sign that no URL has: write it as %XX";
	}
	return NULL;
}

static const char *
check_tenant(const char *s)
{
	static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789.-";

	if (s[0] == '\0' || strlen(s) > 253 || s[strspn(s, signs)] != '\0')
		return "is no tenant: write its domain or id, or common, "
		       "organizations or consumers";
	return NULL;
}

/* RFC 6749 appendix A.1: VSCHAR */
static const char *
check_client_id(const char *s)
{
	size_t i;

	if (s[0] == '\0')
		return "is empty: give it a value";
	if (strlen(s) > 1024)
		return "is too long: at most 1024 octets";
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return "holds a sign that no client-id has: copy it "
			       "again";
	}
	return NULL;
}

static const char *
check_preset(const char *s)
{
	return find_preset(s) != NULL
	    ? NULL
	    : "is no preset: use google, microsoft, yahoo, aol, fastmail, "
	      "mailru or yandex";
}

/* RFC 6749 3.3, and blanks between several */
static bool
is_scope(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return false;
	}
	return i > 0 && s[0] != ' ' && s[i - 1] != ' ';
}

static void
read_scopes(struct conf_reader *r, const struct conf_option *o,
    const struct conf_setting *s, void *field)
{
	char *all = mem_strdup(""), *longer, **to = field;
	size_t i;

	(void)o;
	for (i = 0; i < s->values.n; i++) {
		if (!is_scope(s->values.v[i]))
			conf_refuse(r, s,
			    "holds what is no scope: write them as "
			    "{\"mail.read\", \"offline_access\"}");
		longer = mem_printf(
		    "%s%s%s", all, i == 0 ? "" : " ", s->values.v[i]);
		free(all);
		all = longer;
	}
	if (strlen(all) > SCOPES_MAX_OCTETS)
		conf_refuse(r, s, "is too long: at most 2000 octets in all");
	free(*to);
	*to = all;
}

/* ---- a section ---- */

struct draft { /* of a section, as it is written */
	char *preset, *tenant;
	struct conf_oauth2 made;
};

/* clang-format off */
#define FIELD(field) .at = offsetof(struct draft, field)

static const struct conf_option options[] = {
	{ "preset", conf_read_text, FIELD(preset), .check = check_preset },
	{ "client-id", conf_read_text, FIELD(made.client_id),
	    .check = check_client_id },
	{ "client-secret", conf_read_password, FIELD(made.client_secret) },
	{ "client-secret-file", conf_read_path,
	    FIELD(made.client_secret_file) },
	{ "scopes", read_scopes, FIELD(made.scopes) },
	{ "device-url", conf_read_text, FIELD(made.device_url),
	    .check = check_url },
	{ "auth-url", conf_read_text, FIELD(made.auth_url),
	    .check = check_url },
	{ "token-url", conf_read_text, FIELD(made.token_url),
	    .check = check_url },
	{ "tenant", conf_read_text, FIELD(tenant), .check = check_tenant },
	{ "ca-file", conf_read_path, FIELD(made.ca_file) },
};

/* clang-format on */

struct conf_options
conf_oauth2_options(void)
{
	return (struct conf_options){ options, COUNT(options) };
}

static void
use_preset(
    struct conf_oauth2 *o, const struct preset *p, enum conf_protocol protocol)
{
	if (o->scopes == NULL)
		o->scopes = mem_strdup(p->scopes[protocol]);
	if (o->device_url == NULL)
		o->device_url = mem_strdup(p->device_url);
	if (o->auth_url == NULL)
		o->auth_url = mem_strdup(p->auth_url);
	if (o->token_url == NULL)
		o->token_url = mem_strdup(p->token_url);
}

/* True: there was a place for it. */
static bool
fill_tenant(char **url, const char *tenant)
{
	char *place = *url == NULL ? NULL : strstr(*url, TENANT), *filled;

	if (place == NULL)
		return false;
	filled = mem_printf("%.*s%s%s", (int)(place - *url), *url, tenant,
	    place + strlen(TENANT));
	free(*url);
	*url = filled;
	return true;
}

static void
fill_tenants(
    struct conf_reader *r, const struct conf_section *s, struct draft *d)
{
	const struct conf_setting *set = conf_section_get(s, "tenant");
	const char *tenant = d->tenant == NULL ? "common" : d->tenant;
	bool device = fill_tenant(&d->made.device_url, tenant);
	bool auth = fill_tenant(&d->made.auth_url, tenant);
	bool token = fill_tenant(&d->made.token_url, tenant);

	if (set != NULL && !device && !auth && !token)
		conf_refuse(r, set, "is for Microsoft: remove it");
}

static void
refuse_missing(struct conf_reader *r, const struct conf_section *s,
    const char *name, const char *text)
{
	if (!r->quiet && !r->tree->broken)
		conf_complain(r->report, s->at, "%s: %s is missing: %s", r->who,
		    name, text);
}

static void
check_client(struct conf_reader *r, const struct conf_section *s,
    const struct preset *p, const struct conf_oauth2 *o)
{
	char *text;

	if (o->client_secret != NULL && o->client_secret_file != NULL)
		conf_refuse(r, conf_section_get(s, "client-secret"),
		    "stands beside client-secret-file: remove one of them");
	if (o->client_id != NULL)
		return;
	text = mem_printf("register a client%s%s and add client-id = \"...\", "
			  "see mailhaul-providers(7)",
	    p == NULL ? "" : " at ", p == NULL ? "" : p->registrar);
	refuse_missing(r, s, "client-id", text);
	free(text);
}

static void
check_urls(struct conf_reader *r, const struct conf_section *s,
    const struct conf_oauth2 *o)
{
	if (o->token_url == NULL)
		refuse_missing(r, s, "token-url",
		    "add it, or preset = one of google, microsoft, yahoo, "
		    "aol, fastmail, mailru and yandex");
	else if (o->device_url == NULL && o->auth_url == NULL)
		refuse_missing(r, s, "auth-url",
		    "add it, or device-url: one of them is needed to log in");
}

/* From a section; its errors are told unless r is quiet. */
static struct conf_oauth2 *
make(struct conf_reader *r, const struct conf_section *s,
    enum conf_protocol protocol)
{
	struct conf_oauth2 *o = mem_new(sizeof(*o));
	struct draft d = { 0 };
	const struct preset *p;
	size_t i;

	for (i = 0; i < COUNT(options); i++) {
		const struct conf_setting *set =
		    conf_section_get(s, options[i].name);

		if (set != NULL)
			options[i].read(
			    r, &options[i], set, (char *)&d + options[i].at);
	}
	p = find_preset(d.preset != NULL ? d.preset : s->title);
	if (p != NULL)
		use_preset(&d.made, p, protocol);
	fill_tenants(r, s, &d);
	check_client(r, s, p, &d.made);
	if (p != NULL || d.preset == NULL)
		check_urls(r, s, &d.made);
	d.made.name = mem_strdup(s->title);
	*o = d.made;
	free(d.preset);
	free(d.tenant);
	return o;
}

void
conf_oauth2_check(struct conf_reader *r)
{
	size_t i;

	for (i = 0; i < r->tree->n_oauth2; i++) {
		const struct conf_section *s = &r->tree->oauth2[i];
		const char *wrong = conf_check_account_name(s->title);
		char *who = mem_printf("oauth2 %s", s->title);
		struct conf_oauth2 *o;

		r->who = who;
		if (wrong != NULL)
			conf_complain(r->report, s->at,
			    "the name of an oauth2 %s", wrong);
		o = make(r, s, CONF_IMAP);
		conf_oauth2_free(&o);
		r->who = NULL;
		free(who);
	}
}

/* ---- an account's ---- */

static void
refuse_name(struct conf_reader *r, const struct conf_setting *s)
{
	const char *name = s->values.v[0];
	const struct preset *p = find_preset(name);
	char *text;

	if (p == NULL)
		text = mem_printf("there is no section oauth2 %s { }, and no "
				  "such preset: use google, microsoft, yahoo, "
				  "aol, fastmail, mailru, yandex or a section",
		    name);
	else
		text = mem_printf("register a client at %s and add oauth2 %s { "
				  "client-id = \"...\" }, see "
				  "mailhaul-providers(7)",
		    p->registrar, name);
	conf_refuse_value(r, s, text);
	free(text);
}

/* Quietly: what is wrong with the section has been told. */
static struct conf_oauth2 *
make_quietly(struct conf_reader *r, const struct conf_section *s,
    enum conf_protocol protocol)
{
	bool before = r->quiet;
	struct conf_oauth2 *o;

	r->quiet = true;
	o = make(r, s, protocol);
	r->quiet = before;
	return o;
}

void
conf_read_oauth2(struct conf_reader *r, const struct conf_option *opt,
    const struct conf_setting *s, void *field)
{
	const char *name = conf_single(r, s);
	struct conf_account *a = field;
	const struct conf_section *section;

	(void)opt;
	if (name == NULL)
		return;
	conf_oauth2_free(&a->secret.oauth2);
	section = conf_tree_oauth2(r->tree, name);
	if (section != NULL) {
		a->secret.oauth2 = make_quietly(r, section, a->protocol);
	} else {
		a->secret.oauth2 = mem_new(sizeof(*a->secret.oauth2));
		a->secret.oauth2->name = mem_strdup(name);
		if (!r->tree->broken)
			refuse_name(r, s);
	}
	if (section != NULL && a->protocol == CONF_POP3 &&
	    a->secret.oauth2->scopes == NULL &&
	    a->secret.oauth2->token_url != NULL)
		conf_refuse_value(r, s,
		    "no scopes are known for POP3 there: use protocol = imap, "
		    "or add scopes to the section");
}
