/* SPDX-License-Identifier: ISC */
/*
 * A hostile engine. It opens a box for IMAP (1), for POP3 (2), for an account
 * with a program (3) and for one that is relayed (4), and eight, none, four
 * and four files for them, as it should; then the input is what it sends:
 * packets of a type octet, two octets of length (low first), and so much
 * payload. The deliverer must survive, and leave nothing in tmp/.
 */
#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/server.h"
#include "deliver/wire.h"
#include "sys/log.h"

#define RUNS_PER_DIR 500
#define PACKETS_MAX 64

/* The accounts, by number. */
enum { IMAP = 1, POP3, PROGRAM, RELAYED };

static char dir[64];
static struct loop *loop;
static struct server *server;
static unsigned int runs, boxes, files;
static bool over;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
drop_line(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static const char *
path(const char *below)
{
	static char full[256];

	snprintf(full, sizeof(full), "%s/%s", dir, below);
	return full;
}

static void
expect_empty(const char *below)
{
	DIR *d = opendir(path(below));
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		assert(e->d_name[0] == '.');
	if (d != NULL)
		closedir(d);
}

static void
close_server(void)
{
	server_free(&server);
	loop_free(&loop);
	expect_empty("imap/tmp");
	expect_empty("pop3/tmp");
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
add_accounts(void)
{
	char imap[300], pop3[300], name[] = "account", user[] = "user",
				   program[] = "/bin/true",
				   local[] = "/nonexistent/socket";
	char *argv[] = { program, NULL };
	struct target t = { .name = name, .user = user, .path = imap };

	snprintf(imap, sizeof(imap), "%s", path("imap"));
	snprintf(pop3, sizeof(pop3), "%s", path("pop3"));
	server_account(server, IMAP, &t);
	t.path = pop3;
	server_account(server, POP3, &t);
	t = (struct target){ .way = TARGET_MDA,
		.name = name,
		.user = user,
		.argv = argv,
		.timeout_ms = 5000,
		.parallel = 2 };
	server_account(server, PROGRAM, &t);
	t = (struct target){
		.way = TARGET_RELAY, .name = name, .user = user, .socket = local
	};
	server_account(server, RELAYED, &t);
}

static void
open_server(void)
{
	struct err e;

	if (server == NULL)
		atexit(close_server);
	else
		close_server();
	log_set_sink(drop_line);
	snprintf(dir, sizeof(dir), "%s/mailhaul-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	loop = loop_new();
	server = server_new(loop, path("ledger"), NULL, &e);
	assert(server != NULL);
	add_accounts();
}

static void
on_packet(void *arg, struct ipc_packet *p)
{
	(void)arg;
	if (p == NULL)
		over = true;
	else if (p->type == WIRE_BOX_IS)
		boxes++;
	else if (p->type == WIRE_FILES)
		files += (unsigned int)p->n_fds;
	loop_stop(loop);
}

static void
open_box(struct ipc *engine, const struct wire_box *box)
{
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_box(&b, box);
	ipc_send(engine, WIRE_BOX, buf_span(&b));
	while (boxes < box->box)
		loop_run(loop);
	buf_deinit(&b);
}

static void
open_files(struct ipc *engine, uint32_t box, unsigned int n)
{
	const struct wire_open want = { box, n };
	unsigned int before = files;
	struct buf b;

	buf_init(&b, WIRE_MAX);
	wire_put_open(&b, &want);
	ipc_send(engine, WIRE_OPEN, buf_span(&b));
	while (files < before + n)
		loop_run(loop);
	buf_deinit(&b);
}

static void
begin(struct ipc *engine)
{
	static const struct wire_box all[] = {
		{ 1, IMAP, 7, '/', SPAN("INBOX") },
		{ 2, POP3, 0, 0, SPAN("") },
		{ 3, PROGRAM, 7, '/', SPAN("INBOX") },
		{ 4, RELAYED, 7, '/', SPAN("INBOX") },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		open_box(engine, &all[i]);
	open_files(engine, 1, 8);
	open_files(engine, 3, 4);
	open_files(engine, 4, 4);
}

static void
say(struct ipc *engine, struct span in)
{
	for (unsigned int i = 0; i < PACKETS_MAX && in.n >= 3; i++) {
		struct span head = span_take(&in, 3);
		size_t n = (uint8_t)head.p[1] | (size_t)(uint8_t)head.p[2] << 8;

		if (n > IPC_PAYLOAD_MAX)
			n = IPC_PAYLOAD_MAX;
		ipc_send(engine, (uint8_t)head.p[0], span_take(&in, n));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc *engine;
	struct err e;
	int fds[2];

	if (runs++ % RUNS_PER_DIR == 0)
		open_server();
	if (ipc_pair(fds, &e) < 0)
		abort();
	server_attach(server, fds[0]);
	boxes = files = 0;
	over = false;
	engine = ipc_new(loop, fds[1], on_packet, NULL);
	begin(engine);
	say(engine, span_make((const char *)data, size));
	while (ipc_unsent(engine) > 0 && !over)
		loop_run(loop);
	shutdown(fds[1], SHUT_WR);
	while (!over)
		loop_run(loop);
	ipc_free(&engine);
	return 0;
}
