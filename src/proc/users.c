/* SPDX-License-Identifier: ISC */
#include "proc/users.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_account.h"
#include "conf/conf_list.h"
#include "conf/conf_own.h"
#include "proc/reader.h"
#include "util/mem.h"
#include "util/text.h"

#define AT_ONCE 16 /* processes; each may have an answer of READER_MAX */
#define CERTIFICATES_MAX 10000

struct one {
	struct users *users;
	char *name;
	struct user user;
	struct reader *reader;
	struct conf *conf; /* NULL: none that is good */
	bool ended, told;
};

struct users {
	struct loop *loop; /* not ours */
	struct loop_timer *begin, *late;
	struct one **v;
	size_t n, next, busy, ended;
	bool news;
	unsigned int accounts, connections;
	bool commands;
	struct users_found found;
	users_fn fn;
	void *arg;
};

static void complain(struct one *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
complain(struct one *o, const char *fmt, ...)
{
	char text[1200], *line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line = mem_printf("user %s: %s", o->name, text);
	conf_list_add(&o->users->found.errors, line);
	free(line);
}

static void
fail(struct one *o)
{
	conf_free(&o->conf);
	conf_list_add(&o->users->found.failed, o->name);
}

/* ---- what an answer says ---- */

static void
set(char **field, struct span text)
{
	free(*field);
	*field = mem_spandup(text);
}

static bool
same(const char *name, struct span text)
{
	return span_eq(span_of(name), text);
}

static void
set_key(struct conf_account *a, struct span pem)
{
	secret_free(&a->tls_key_pem);
	a->tls_key_pem = secret_new(pem);
}

struct pem { /* one of them, as it came */
	uint8_t what;
	struct span path, dir, text;
};

static void
give_pem_to(struct conf_account *a, const struct pem *p)
{
	switch ((enum reader_pem)p->what) {
	case READER_CA:
		if (same(a->tls_ca_file, p->path) &&
		    same(a->tls_ca_dir, p->dir))
			set(&a->tls_ca_pem, p->text);
		if (same(a->delivery_tls_ca_file, p->path) && p->dir.n == 0)
			set(&a->delivery_tls_ca_pem, p->text);
		break;
	case READER_CRL:
		if (same(a->tls_crl_file, p->path))
			set(&a->tls_crl_pem, p->text);
		break;
	case READER_CERT:
		if (same(a->tls_cert, p->path))
			set(&a->tls_cert_pem, p->text);
		break;
	case READER_KEY:
		if (same(a->tls_key, p->path))
			set_key(a, p->text);
		break;
	}
}

static bool
is_sound(const struct pem *p)
{
	return p->text.n > 0 && span_find(p->text, '\0') == p->text.n &&
	    p->path.n + p->dir.n > 0 && p->what <= READER_KEY &&
	    (p->what != READER_KEY || p->text.n <= SECRET_MAX);
}

/* The text is his word, and may be that of a key. */
static bool
take_pem(struct one *o, struct unpack *u)
{
	struct pem p;
	char shown[400];
	bool good;

	p.what = unpack_u8(u);
	p.path = unpack_span(u);
	p.dir = unpack_span(u);
	good = unpack_u8(u) != 0;
	p.text = unpack_span(u);
	if (good && is_sound(&p)) {
		for (size_t i = 0; i < o->conf->n; i++)
			give_pem_to(&o->conf->accounts[i], &p);
		return true;
	}
	complain(o, "%s",
	    good ? "one of his files for TLS makes no sense"
		 : text_printable(shown, sizeof(shown), p.text));
	return false;
}

static bool
take_certificates(struct one *o, struct unpack *u)
{
	uint32_t n = unpack_u32(u);
	bool all = n <= CERTIFICATES_MAX;

	for (uint32_t i = 0; all && i < n && !u->bad; i++)
		all = take_pem(o, u);
	return all && unpack_ok(u);
}

static bool
lacks(const char *path, const void *content)
{
	return path != NULL && content == NULL;
}

static bool
lacks_certificates(const struct conf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct conf_account *a = &c->accounts[i];

		if (lacks(a->tls_ca_file, a->tls_ca_pem) ||
		    lacks(a->tls_ca_dir, a->tls_ca_pem) ||
		    lacks(a->delivery_tls_ca_file, a->delivery_tls_ca_pem) ||
		    lacks(a->tls_crl_file, a->tls_crl_pem) ||
		    lacks(a->tls_cert, a->tls_cert_pem) ||
		    lacks(a->tls_key, a->tls_key_pem))
			return true;
	}
	return false;
}

static void
take_answer(struct one *o, struct span answer)
{
	struct unpack u = unpack_of(answer);
	char **errors;
	size_t n, before = o->users->found.errors.n;

	o->conf = conf_own_unpack(&u, o->user.home, &errors, &n);
	for (size_t i = 0; i < n; i++)
		complain(o, "%s", errors[i]);
	conf_errors_free(&errors, &n);
	if (o->conf != NULL && take_certificates(o, &u) &&
	    !lacks_certificates(o->conf))
		return;
	if (o->users->found.errors.n == before)
		complain(o, "his files for TLS could not be read");
	fail(o);
}

/* ---- what is allowed ---- */

static void
drop_account(struct conf *c, size_t i)
{
	conf_account_deinit(&c->accounts[i]);
	memmove(&c->accounts[i], &c->accounts[i + 1],
	    (c->n - i - 1) * sizeof(*c->accounts));
	c->n--;
}

static void
refuse_commands(struct one *o)
{
	for (size_t i = o->conf->n; i-- > 0;) {
		const struct conf_account *a = &o->conf->accounts[i];
		const char *option = conf_account_command(a);

		if (option == NULL)
			continue;
		complain(o,
		    "%s: account %s: %s is not allowed here "
		    "(user-password-command): %s",
		    a->where, a->name, option,
		    a->secret.command.n > 0 ? "use password-file"
					    : "remove it");
		drop_account(o->conf, i);
	}
}

static void
refuse_many(struct one *o, unsigned int max, const char *option)
{
	if (o->conf->n <= max)
		return;
	complain(o, "only the first %u of his %zu accounts are fetched (%s)",
	    max, o->conf->n, option);
	while (o->conf->n > max)
		drop_account(o->conf, o->conf->n - 1);
}

/* Each has one, at least; the first ones get what they want. */
static void
share_connections(struct one *o)
{
	unsigned int left = o->users->connections;

	for (size_t i = 0; i < o->conf->n; i++) {
		struct conf_account *a = &o->conf->accounts[i];
		unsigned int others = (unsigned int)(o->conf->n - i - 1);

		if (a->max_connections > left - others)
			a->max_connections = left - others;
		left -= a->max_connections;
	}
}

static void
rename_account(struct conf_account *a, const char *user)
{
	char *name = mem_printf("%s/%s", user, a->name);

	free(a->name);
	a->name = name;
	free(a->owner);
	a->owner = mem_strdup(user);
	free(a->run_as);
	a->run_as = mem_strdup(user);
}

static void
adopt(struct one *o)
{
	struct users_found *f = &o->users->found;

	if (!o->users->commands)
		refuse_commands(o);
	refuse_many(o, o->users->accounts, "user-accounts");
	refuse_many(o, o->users->connections, "user-connections");
	share_connections(o);
	f->accounts =
	    mem_grow(f->accounts, f->n + o->conf->n, sizeof(*f->accounts));
	for (size_t i = 0; i < o->conf->n; i++) {
		rename_account(&o->conf->accounts[i], o->name);
		f->accounts[f->n++] = o->conf->accounts[i];
	}
	o->conf->n = 0; /* taken */
}

/* ---- one after the other ---- */

static void
clear(struct users_found *f)
{
	for (size_t i = 0; i < f->n; i++)
		conf_account_deinit(&f->accounts[i]);
	free(f->accounts);
	conf_list_free(&f->errors);
	conf_list_free(&f->failed);
	*f = (struct users_found){ 0 };
}

static void
tell(struct users *u)
{
	for (size_t i = 0; i < u->n; i++) {
		struct one *o = u->v[i];

		if (!o->ended || o->told)
			continue;
		o->told = true;
		if (o->conf != NULL && o->conf->n > 0)
			adopt(o);
		conf_free(&o->conf);
	}
	u->news = false;
	u->found.left = u->n - u->ended;
	u->fn(u->arg, &u->found);
	if (u->ended == u->n) {
		users_cancel(&u);
		return;
	}
	clear(&u->found);
	loop_timer_arm(u->late, USERS_LATE_MS);
}

static void
on_late(void *arg)
{
	struct users *u = arg;

	if (u->news)
		tell(u);
	else
		loop_timer_arm(u->late, USERS_LATE_MS);
}

static void
end(struct one *o)
{
	o->ended = true;
	o->users->ended++;
	o->users->news = true;
}

static void go_on(struct users *u);

static void
on_answer(void *arg, struct span answer, const struct err *e)
{
	struct one *o = arg;

	o->reader = NULL;
	o->users->busy--;
	if (e == NULL) {
		take_answer(o, answer);
	} else {
		complain(o, "%s", e->text);
		fail(o);
	}
	end(o);
	go_on(o->users);
}

static void
ask(struct one *o)
{
	struct err e;

	if (user_find(o->name, &o->user, &e) != 0) {
		complain(o, "%s", e.text);
		if (e.kind != ERR_CONFIG) /* he may be there, all the same */
			fail(o);
		end(o);
		return;
	}
	if (o->user.uid == 0 || o->user.home[0] != '/' || o->name[0] == '.' ||
	    strchr(o->name, '/') != NULL) {
		end(o); /* nobody with files of his own, or no name for ours */
		return;
	}
	o->reader = reader_ask(o->users->loop, &o->user, READER_CONFIGURATION,
	    o->user.home, on_answer, o);
	o->users->busy++;
}

static void
go_on(struct users *u)
{
	while (u->next < u->n && u->busy < AT_ONCE)
		ask(u->v[u->next++]);
	if (u->ended == u->n)
		tell(u);
}

static void
on_begin(void *arg)
{
	go_on(arg);
}

/* ---- who ---- */

static void
add_user(struct users *u, const char *name)
{
	struct one *o;

	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->v[i]->name, name) == 0)
			return;
	o = mem_new(sizeof(*o));
	o->users = u;
	o->name = mem_strdup(name);
	u->v = mem_grow(u->v, u->n + 1, sizeof(*u->v));
	u->v[u->n++] = o;
}

/* Members by the list of groups, and by the list of users. */
static void
add_group(struct users *u, const char *name)
{
	const struct group *g = getgrnam(name);
	const struct passwd *pw;
	gid_t gid;

	if (g == NULL) {
		char *text = mem_printf("users: there is no group %s", name);

		conf_list_add(&u->found.errors, text);
		free(text);
		return;
	}
	gid = g->gr_gid;
	for (char *const *m = g->gr_mem; *m != NULL; m++)
		add_user(u, *m);
	setpwent();
	while ((pw = getpwent()) != NULL)
		if (pw->pw_gid == gid)
			add_user(u, pw->pw_name);
	endpwent();
}

struct users *
users_load(struct loop *loop, const struct conf *conf, users_fn fn, void *arg)
{
	struct users *u = mem_new(sizeof(*u));

	u->loop = loop;
	u->accounts = conf->user_accounts;
	u->connections = conf->user_connections;
	u->commands = conf->user_commands;
	u->fn = fn;
	u->arg = arg;
	for (size_t i = 0; i < conf->users.n; i++) {
		const char *name = conf->users.v[i];

		if (name[0] == '@')
			add_group(u, name + 1);
		else
			add_user(u, name);
	}
	u->begin = loop_timer_new(loop, on_begin, u);
	loop_timer_arm(u->begin, 0);
	u->late = loop_timer_new(loop, on_late, u);
	loop_timer_arm(u->late, USERS_LATE_MS);
	u->news = true; /* even if it is that nothing is known yet */
	return u;
}

void
users_cancel(struct users **p)
{
	struct users *u = *p;

	if (u == NULL)
		return;
	*p = NULL;
	for (size_t i = 0; i < u->n; i++) {
		reader_free(&u->v[i]->reader);
		conf_free(&u->v[i]->conf);
		free(u->v[i]->name);
		free(u->v[i]);
	}
	clear(&u->found);
	loop_timer_free(&u->late);
	loop_timer_free(&u->begin);
	free(u->v);
	free(u);
}
