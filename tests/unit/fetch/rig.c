/* SPDX-License-Identifier: ISC */
#include "unit/fetch/rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/server.h"
#include "io/ipc.h"
#include "ledger/ledger.h"
#include "util/mem.h"

#define RULES_MAX 64

struct whole {
	struct rig rig; /* first */
	struct loop *loop;
	struct dns *dns;
	struct server *server;
	struct fetch_env env;
	struct fetch *fetch;
	int listener, fd;
	struct loop_fd *listen_watch, *watch;
	const struct rig_rule *script, *late;
	struct loop_timer *later;
	bool used[RULES_MAX];
	struct buf in;
	const char *mark;
	loop_fn at_mark;
	void *at_arg;
	struct secret *secret;
	char idle_tag[16]; /* of the IDLE that DONE ends */
};

/* ---- the scripted server ---- */

static void
hang_up(struct whole *w)
{
	loop_fd_free(&w->watch);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void
send_all(struct whole *w, const char *p, size_t n)
{
	while (n > 0) { /* blocking: scripts are small */
		ssize_t sent = send(w->fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void
say(struct whole *w, const char *text, const char *tag, size_t tag_n)
{
	const char *at;

	while ((at = strstr(text, "%T")) != NULL) {
		send_all(w, text, (size_t)(at - text));
		send_all(w, tag, tag_n);
		text = at + 2;
	}
	send_all(w, text, strlen(text));
}

static void
on_late(void *arg)
{
	struct whole *w = arg;

	say(w, w->late->say, "", 0);
}

static void
answer_to(struct whole *w, const char *line, const char *tag, size_t tag_n)
{
	for (size_t i = 0;
	     w->script[i].say != NULL || w->script[i].hear != NULL; i++) {
		const struct rig_rule *rule = &w->script[i];

		if (w->used[i] || (line == NULL) != (rule->hear == NULL) ||
		    (line != NULL && strstr(line, rule->hear) == NULL))
			continue;
		w->used[i] = !rule->for_ever;
		if (rule->ms > 0) {
			w->late = rule;
			loop_timer_arm(w->later, rule->ms);
			return;
		}
		if (rule->say != NULL)
			say(w, rule->say, tag, tag_n);
		if (rule->say == NULL || rule->hang_up)
			hang_up(w);
		return;
	}
}

static void
answer(struct whole *w, const char *line)
{
	size_t tag_n = line == NULL ? 0 : strcspn(line, " ");

	if (line != NULL && strstr(line, " IDLE") != NULL)
		snprintf(
		    w->idle_tag, sizeof(w->idle_tag), "%.*s", (int)tag_n, line);
	if (line != NULL && strcmp(line, "DONE") == 0) {
		answer_to(w, line, w->idle_tag, strlen(w->idle_tag));
		return;
	}
	answer_to(w, line, line, tag_n);
}

static void
hear_line(struct whole *w, struct span line)
{
	char *text = mem_spandup(span_trim(line));

	size_t at = strlen(w->rig.heard);

	snprintf(w->rig.heard + at, sizeof(w->rig.heard) - at, "%s\n", text);
	if (w->mark != NULL && strstr(text, w->mark) != NULL)
		w->at_mark(w->at_arg);
	else
		answer(w, text);
	free(text);
}

static void
on_client(void *arg, bool readable, bool writable)
{
	struct whole *w = arg;
	size_t room;
	char *p = buf_room(&w->in, 4096, &room);
	ssize_t n = recv(w->fd, p, room, MSG_DONTWAIT);

	(void)readable;
	(void)writable;
	if (n <= 0) {
		hang_up(w);
		return;
	}
	buf_wrote(&w->in, (size_t)n);
	while (w->fd >= 0 && span_find(buf_span(&w->in), '\n') < w->in.n) {
		struct span all = buf_span(&w->in);
		struct span line = span_until(&all, '\n');

		hear_line(w, line);
		buf_drop(&w->in, line.n + 1);
	}
}

static void
on_connect(void *arg, bool readable, bool writable)
{
	struct whole *w = arg;

	(void)readable;
	(void)writable;
	hang_up(w);
	w->fd = accept(w->listener, NULL, NULL);
	assert_true(w->fd >= 0);
	buf_clear(&w->in);
	w->watch = loop_fd_new(w->loop, w->fd, on_client, w);
	loop_fd_want(w->watch, true, false);
	answer(w, NULL);
}

static unsigned int
listen_on_loopback(struct whole *w)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);

	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(w->listener, 8), 0);
	getsockname(w->listener, (struct sockaddr *)&sa, &len);
	w->listen_watch = loop_fd_new(w->loop, w->listener, on_connect, w);
	return ntohs(sa.sin_port);
}

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

	w->script = script;
	w->mark = mark;
	w->at_mark = at;
	w->at_arg = arg;
	memset(w->used, 0, sizeof(w->used));
	w->rig.heard[0] = '\0';
	loop_fd_want(w->listen_watch, true, false);
	loop_run(w->loop);
	loop_fd_want(w->listen_watch, false, false);
	hang_up(w);
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
	p->conn.port = listen_on_loopback(w);
	p->conn.connect_timeout_ms = 10000;
	p->conn.tls_timeout_ms = 10000;
	p->is_pop3 = is_pop3;
	p->imap.tls = IMAP_TLS_NONE;
	p->imap.auth = IMAP_AUTH_LOGIN;
	p->imap.user = p->pop3.user = "u";
	p->imap.secret = p->pop3.secret = w->secret;
	p->pop3.tls = POP3_TLS_NONE;
	p->pop3.auth = POP3_AUTH_LOGIN;
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
	w->later = loop_timer_new(w->loop, on_late, w);
	w->fd = -1;
	buf_init(&w->in, 1 << 20);
	w->secret = secret_new(SPAN("p"));
	w->dns = dns_new(w->loop, &e);
	assert_non_null(w->dns);
	snprintf(path, sizeof(path), "%s/ledger", w->rig.dir);
	w->server = server_new(w->loop, path, &e);
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
	hang_up(w);
	loop_timer_free(&w->later);
	loop_fd_free(&w->listen_watch);
	close(w->listener);
	client_free(&w->env.client);
	server_free(&w->server);
	dns_free(&w->dns);
	loop_free(&w->loop);
	secret_free(&w->secret);
	buf_deinit(&w->in);
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
