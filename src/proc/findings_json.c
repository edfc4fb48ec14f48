/* SPDX-License-Identifier: ISC */
#include "proc/findings_json.h"

#include "proc/hint.h"
#include "sched/reaction.h"

/* What is no number is not there; JSON has no unsigned 64 bits. */
static void
set_number(json_t *to, const char *name, uint64_t n)
{
	if (n <= INT64_MAX)
		json_object_set_new(to, name, json_integer((json_int_t)n));
}

static void
set_text(json_t *to, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(to, name, json_string(text));
}

static void
set_first(
    json_t *to, const struct findings *f, enum fact_kind kind, const char *name)
{
	const struct fact *fact = findings_first(f, kind);

	if (fact != NULL)
		set_text(to, name, fact->text[0]);
}

typedef void fill_fn(json_t *to, const struct fact *fact);

static void
set_each(json_t *to, const struct findings *f, enum fact_kind kind,
    const char *name, fill_fn *fill)
{
	json_t *all = json_array();
	const struct fact *fact;
	size_t at = 0;

	while ((fact = findings_next(f, kind, &at)) != NULL) {
		json_t *one = json_object();

		fill(one, fact);
		json_array_append_new(all, one);
	}
	json_object_set_new(to, name, all);
}

/* ---- facts ---- */

static void
fill_certificate(json_t *to, const struct fact *fact)
{
	set_text(to, "subject", fact->text[0]);
	set_text(to, "names", fact->text[1]);
	set_text(to, "issuer", fact->text[2]);
	set_text(to, "pin", fact->text[3]);
	set_number(to, "not_before", fact->number[0]);
	set_number(to, "not_after", fact->number[1]);
}

static void
fill_quirk(json_t *to, const struct fact *fact)
{
	set_text(to, "server", fact->text[0]);
	set_text(to, "what", fact->text[1]);
}

static void
fill_use(json_t *to, const struct fact *fact)
{
	set_text(to, "for", fact->text[0]);
	set_text(to, "by", fact->text[1]);
}

static void
set_flag(json_t *to, const char *name, const struct fact *fact, unsigned int m)
{
	json_object_set_new(to, name, json_boolean((fact->number[0] & m) != 0));
}

static void
fill_mailbox(json_t *to, const struct fact *fact)
{
	set_text(to, "name", fact->text[0]);
	set_flag(to, "chosen", fact, FACT_CHOSEN);
	set_flag(to, "noselect", fact, FACT_NOSELECT);
	set_flag(to, "unlisted", fact, FACT_MISSING);
	set_text(to, "error", fact->text[1]);
	if ((fact->number[0] & FACT_COUNTED) == 0)
		return;
	set_number(to, "messages", fact->number[1]);
	set_number(to, "uidnext", fact->number[2]);
	set_number(to, "uidvalidity", fact->number[3]);
}

static void
set_tls(json_t *to, const struct findings *f)
{
	const struct fact *fact = findings_first(f, FACT_TLS);
	json_t *tls;

	if (fact == NULL)
		return;
	tls = json_object();
	set_text(tls, "session", fact->text[0]);
	set_text(tls, "verified_by", fact->text[1]);
	set_text(tls, "state", fact->text[2]);
	json_object_set_new(to, "tls", tls);
}

static void
set_login(json_t *to, const struct findings *f)
{
	const struct fact *fact = findings_first(f, FACT_LOGIN);
	json_t *login;

	if (fact == NULL)
		return;
	login = json_object();
	set_text(login, "mechanism", fact->text[0]);
	set_text(login, "why", fact->text[1]);
	json_object_set_new(to, "login", login);
}

static void
set_warnings(json_t *to, const struct findings *f)
{
	json_t *all = json_array();
	const struct fact *fact;
	size_t at = 0;

	while ((fact = findings_next(f, FACT_WARNING, &at)) != NULL)
		json_array_append_new(all, json_string(fact->text[0]));
	json_object_set_new(to, "warnings", all);
}

static void
set_mailboxes(
    json_t *to, const struct conf_account *a, const struct findings *f)
{
	const struct fact *rest = findings_first(f, FACT_REST);
	const struct fact *drop = findings_first(f, FACT_MAILDROP);

	if (a->protocol == CONF_IMAP) {
		set_each(to, f, FACT_MAILBOX, "mailboxes", fill_mailbox);
		set_number(to, "not_shown", rest == NULL ? 0 : rest->number[0]);
	} else if (drop != NULL) {
		set_number(to, "messages", drop->number[0]);
		set_number(to, "octets", drop->number[1]);
	}
}

/* ---- all of it ---- */

static void
set_end(json_t *to, const struct conf_account *a, const struct findings *f)
{
	char hint[HINT_MAX];
	json_t *e;

	json_object_set_new(to, "ok", json_boolean(f->e.kind == ERR_NONE));
	json_object_set_new(to, "exit_status",
	    json_integer(reaction_of(f->e.kind)->exit_status));
	if (f->e.kind == ERR_NONE)
		return;
	e = json_object();
	set_text(e, "kind", err_kind_name(f->e.kind));
	set_text(e, "text", f->e.text);
	set_text(
	    e, "hint", hint_for(a, &f->e, f->of_server, hint, sizeof(hint)));
	json_object_set_new(to, "error", e);
}

json_t *
findings_json(
    const struct conf_account *a, const struct findings *f, bool mailboxes_only)
{
	json_t *to = json_object();

	set_text(to, "account", a->name);
	set_text(to, "protocol", a->protocol == CONF_POP3 ? "pop3" : "imap");
	set_text(to, "host", a->host);
	set_number(to, "port", a->port);
	set_text(to, "user", a->user);
	if (!mailboxes_only) {
		set_first(to, f, FACT_REACHED, "reached");
		set_tls(to, f);
		set_each(
		    to, f, FACT_CERTIFICATE, "certificates", fill_certificate);
		set_first(to, f, FACT_GREETING, "greeting");
		set_first(to, f, FACT_OFFERED, "offered");
		set_login(to, f);
		set_first(to, f, FACT_CAPABILITIES, "capabilities");
		set_first(to, f, FACT_SERVER, "server");
		set_each(to, f, FACT_QUIRK, "known_as", fill_quirk);
		set_each(to, f, FACT_USE, "used", fill_use);
	}
	set_warnings(to, f);
	set_mailboxes(to, a, f);
	set_end(to, a, f);
	return to;
}
