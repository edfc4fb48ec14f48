/* SPDX-License-Identifier: ISC */
#include "unit/fetch/rig.h"

#include <dirent.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/server.h"
#include "io/ipc.h"
#include "ledger/ledger.h"
#include "util/mem.h"

struct whole {
	struct rig rig; /* first */
	struct loop *loop;
	struct dns *dns;
	struct server *server;
	struct fetch_env env;
	struct fetch *fetch;
	struct scripted *host;
	struct secret *secret;
};

/* ---- a fetch ---- */

static void
on_end(void *arg, const struct fetch_result *result)
{
	struct whole *w = arg;

	w->rig.result = *result;
	loop_stop(w->loop);
}

const struct fetch_env *
rig_env(const struct rig *r)
{
	return &((const struct whole *)r)->env;
}

void
rig_play(struct rig *r, const struct rig_rule *script, const char *mark,
    loop_fn at, void *arg)
{
	struct whole *w = (struct whole *)r;

	scripted_open(w->host, script, mark, at, arg);
	loop_run(w->loop);
	scripted_close(w->host);
}

struct scripted *
rig_host(const struct rig *r)
{
	return ((const struct whole *)r)->host;
}

static void
stop_fetch(void *arg)
{
	struct whole *w = arg;

	fetch_stop(w->fetch);
}

void
rig_run_and_stop(
    struct rig *r, const struct rig_rule *script, const char *stop_at)
{
	struct whole *w = (struct whole *)r;

	w->fetch = fetch_new(&w->env, &w->rig.params, on_end, w);
	rig_play(r, script, stop_at, stop_fetch, w);
	fetch_free(&w->fetch);
}

void
rig_run(struct rig *r, const struct rig_rule *script)
{
	rig_run_and_stop(r, script, NULL);
}

/* ---- life ---- */

static void
fill_params(struct whole *w, bool is_pop3)
{
	static const char *const inbox[] = { "INBOX" };
	struct fetch_params *p = &w->rig.params;

	p->subject = "test";
	p->account = 0;
	p->conn.host = "127.0.0.1";
	p->conn.port = scripted_port(w->host);
	p->conn.connect_timeout_ms = 10000;
	p->conn.tls_timeout_ms = 10000;
	p->is_pop3 = is_pop3;
	p->imap.tls = IMAP_TLS_NONE;
	p->imap.auth = SASL_LOGIN;
	p->imap.user = p->pop3.user = "u";
	p->imap.secret = p->pop3.secret = w->secret;
	p->pop3.tls = POP3_TLS_NONE;
	p->pop3.auth = SASL_LOGIN;
	p->mailboxes = inbox;
	p->n_mailboxes = 1;
}

static void
add_account(struct whole *w, uint32_t number, char *name, char *maildir,
    const struct target *target)
{
	static char user[] = "u";
	struct target t = { .way = TARGET_MAILDIR };

	if (target != NULL)
		t = *target;
	if (t.way == TARGET_MAILDIR)
		t.path = maildir;
	t.name = name;
	t.user = user;
	server_account(w->server, number, &t);
}

struct rig *
rig_new(bool is_pop3)
{
	return rig_new_to(is_pop3, NULL);
}

struct rig *
rig_new_to(bool is_pop3, const struct target *target)
{
	static char test[] = "test";
	static char other[] = "other";
	struct whole *w = mem_new(sizeof(*w));
	char path[128];
	int pair[2];
	struct err e;

	snprintf(w->rig.dir, sizeof(w->rig.dir), "/tmp/mailhaul-rig-XXXXXX");
	assert_non_null(mkdtemp(w->rig.dir));
	w->loop = loop_new();
	w->host = scripted_new(w->loop, w->rig.heard, sizeof(w->rig.heard));
	w->secret = secret_new(SPAN("p"));
	w->dns = dns_new(w->loop, &e);
	assert_non_null(w->dns);
	snprintf(path, sizeof(path), "%s/ledger", w->rig.dir);
	w->server = server_new(w->loop, path, NULL, &e);
	assert_non_null(w->server);
	snprintf(path, sizeof(path), "%s/md", w->rig.dir);
	add_account(w, 0, test, path, target);
	add_account(w, 1, other, path, target);
	assert_int_equal(ipc_pair(pair, &e), 0);
	server_attach(w->server, pair[0]);
	w->env = (struct fetch_env){ .loop = w->loop,
		.dns = w->dns,
		.client = client_new(w->loop, pair[1]) };
	fill_params(w, is_pop3);
	return &w->rig;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
rig_free(struct rig **r)
{
	struct whole *w = (struct whole *)*r;

	*r = NULL;
	scripted_free(&w->host);
	client_free(&w->env.client);
	server_free(&w->server);
	dns_free(&w->dns);
	loop_free(&w->loop);
	secret_free(&w->secret);
	nftw(w->rig.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
}

/* ---- what came of it ---- */

static unsigned int
count(const struct rig *r, const char *sub, const char *text)
{
	char path[512];
	char content[65536];
	unsigned int n = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/md/%s", r->dir, sub);
	dir = opendir(path);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		FILE *f;

		if (d->d_name[0] == '.')
			continue;
		snprintf(
		    path, sizeof(path), "%s/md/%s/%s", r->dir, sub, d->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		content[fread(content, 1, sizeof(content) - 1, f)] = '\0';
		fclose(f);
		n += text == NULL || strstr(content, text) != NULL;
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

unsigned int
rig_delivered(const struct rig *r)
{
	return count(r, "new", NULL);
}

unsigned int
rig_unfinished(const struct rig *r)
{
	return count(r, "tmp", NULL);
}

bool
rig_has(const struct rig *r, const char *text)
{
	return count(r, "new", text) == 1;
}

unsigned int
rig_said(const struct rig *r, const char *text)
{
	unsigned int n = 0;

	for (const char *p = r->heard; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* ---- messages in trouble ---- */

static void
on_settled(void *arg, struct client_box_info *info)
{
	struct whole *w = arg;

	assert_null(info->e);
	loop_stop(w->loop);
}

static void
on_letters(void *arg)
{
	(void)arg;
}

/* Nobody answers a note; the deliverer does one thing after the other. */
static void
settle(struct whole *w)
{
	struct client_box_params params = { .account = 1,
		.mailbox = "settle",
		.uidvalidity = 1,
		.style = &w->rig.params.style };
	struct client_box *b =
	    client_box_open(w->env.client, &params, on_settled, on_letters, w);

	loop_run(w->loop);
	client_box_close(&b);
}

static struct ledger *
open_ledger(struct whole *w)
{
	char path[128];
	struct ledger *l;
	struct err e;

	settle(w);
	snprintf(path, sizeof(path), "%s/ledger", w->rig.dir);
	l = ledger_open_existing(path, &e);
	assert_non_null(l);
	return l;
}

static int
keep_trouble(void *arg, const struct ledger_trouble *t, struct err *e)
{
	struct rig_trouble *out = arg;
	unsigned int n = out->n + 1;

	(void)e;
	*out = (struct rig_trouble){ .n = n,
		.id = t->id,
		.uid = t->uid,
		.state = t->state,
		.why = t->why,
		.tries = t->tries,
		.size = t->size,
		.stub = t->stub,
		.full = t->full,
		.n_reached = t->n_reached };
	snprintf(out->uidl, sizeof(out->uidl), "%s", t->uidl);
	snprintf(out->reason, sizeof(out->reason), "%s", t->reason);
	snprintf(out->about, sizeof(out->about), "%s", t->about);
	return 0;
}

static struct rig_trouble
trouble_of(struct ledger *l)
{
	struct rig_trouble t = { 0 };
	struct err e;

	assert_int_equal(ledger_troubles(l, "test", keep_trouble, &t, &e), 0);
	return t;
}

struct rig_trouble
rig_trouble(struct rig *r)
{
	struct ledger *l = open_ledger((struct whole *)r);
	struct rig_trouble t = trouble_of(l);

	ledger_close(&l);
	return t;
}

void
rig_retry(struct rig *r, bool full)
{
	struct ledger *l = open_ledger((struct whole *)r);
	struct rig_trouble t = trouble_of(l);
	struct err e;

	assert_int_equal(t.n, 1);
	assert_int_equal(ledger_trouble_retry(l, t.id, full, &e), 0);
	ledger_close(&l);
}

void
rig_let_time_pass(struct rig *r)
{
	char path[128];
	sqlite3 *db;

	settle((struct whole *)r);
	snprintf(path, sizeof(path), "%s/ledger", r->dir);
	assert_int_equal(sqlite3_open(path, &db), 0);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE trouble SET next = 0 WHERE state = 0",
		NULL, NULL, NULL),
	    0);
	sqlite3_close(db);
}
