/* SPDX-License-Identifier: ISC */
#include "proc/kerberos.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "io/ipc.h"
#include "io/sandbox.h"
#include "proc/kerberos_why.h"
#include "proto/sasl.h"
#include "session/agent.h"
#include "util/mem.h"
#include "util/pack.h"

#define ENGINE STDIN_FILENO
#define TRACE_MAX 65536 /* octets of its end that are looked at */

struct kerberos {
	const char *service, *host, *user; /* not ours */
	struct sasl *sasl;
	int trace;  /* -1: none */
	bool begun; /* it has answered once */
};

/* ---- what the library writes down ---- */

/* In memory: nobody else sees it. */
static int
open_trace(void)
{
	int fd = memfd_create("kerberos", MFD_CLOEXEC);
	char path[40];

	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)setenv("KRB5_TRACE", path, 1);
	return fd;
}

/* GNU SASL speaks by a library that only loads others: MIT's, or Heimdal's. */
static bool
has_library(void)
{
	static const char *const all[] = { "libgssapi_krb5.so.2",
		"libgssapi.so.3" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		void *library = dlopen(all[i], RTLD_LAZY | RTLD_NOLOAD);

		if (library != NULL) {
			(void)dlclose(library);
			return true;
		}
	}
	return false;
}

static void
explain_by_trace(const struct kerberos *k, struct err *e)
{
	off_t end = lseek(k->trace, 0, SEEK_END);
	char *text = mem_array(TRACE_MAX, 1);
	ssize_t n = end < 0 ? -1
			    : pread(k->trace, text, TRACE_MAX,
				  end > TRACE_MAX ? end - TRACE_MAX : 0);

	if (n >= 0)
		kerberos_why(span_make(text, (size_t)n), k->user, k->service,
		    k->host, e);
	free(text);
}

static void
explain(const struct kerberos *k, struct err *e)
{
	if (has_library())
		explain_by_trace(k, e);
	else
		err_set(e, ERR_CONFIG, 0,
		    "GSSAPI finds no library of Kerberos: install "
		    "libgssapi-krb5-2, which /etc/gssapi_mech.conf has to "
		    "name");
}

/* ---- the engine ---- */

/* The socket keeps the packets apart; our end of it is a blocking one. */
static int
say(enum agent_word word, struct span payload)
{
	struct buf b;
	int r;

	buf_init(&b, IPC_PAYLOAD_MAX + 1);
	pack_u8(&b, (uint8_t)word);
	r = buf_add(&b, payload);
	if (r == 0 &&
	    send(ENGINE, buf_span(&b).p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
		r = -1;
	buf_wipe(&b);
	return r;
}

static int
say_error(const struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)e->kind);
	pack_str(&b, e->text);
	r = say(AGENT_ERROR, buf_span(&b));
	buf_deinit(&b);
	return r;
}

/* Only the first step asks for tickets: what the library wrote down is about
 * these. */
static int
answer(struct kerberos *k, struct span challenge)
{
	struct buf response;
	struct err e;
	int r;

	buf_init(&response, IPC_PAYLOAD_MAX);
	if (sasl_step(k->sasl, challenge, &response, &e) == 0)
		r = say(sasl_is_finished(k->sasl) ? AGENT_LAST : AGENT_RESPONSE,
		    buf_span(&response));
	else {
		if (!k->begun && e.kind == ERR_PROTO)
			explain(k, &e);
		r = say_error(&e);
	}
	k->begun = true;
	buf_wipe(&response);
	return r;
}

/* Until the engine has gone, or breaks the framing. */
static void
serve(struct kerberos *k)
{
	static char packet[1 + IPC_PAYLOAD_MAX];

	for (;;) {
		ssize_t n = recv(ENGINE, packet, sizeof(packet), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 1 || (size_t)n > sizeof(packet) ||
		    packet[0] != AGENT_CHALLENGE ||
		    answer(k, span_make(packet + 1, (size_t)n - 1)) != 0)
			return;
	}
}

/* ---- the process ---- */

/* What the kernel does not have is said by those that live longer. */
static void
put_up_walls(void)
{
	struct err e;

	(void)sandbox_secrets(&e);
	(void)sandbox_kerberos(&e);
}

int
kerberos_main(int argc, char **argv)
{
	struct kerberos k = { .trace = -1 };
	struct err e;

	if (argc != 4)
		return EX_USAGE;
	signal(SIGPIPE, SIG_IGN);
	put_up_walls();
	k.service = argv[1];
	k.host = argv[2];
	k.user = argv[3];
	k.trace = open_trace();
	k.sasl = sasl_new(&(struct sasl_params){ .mechanism = SASL_GSSAPI,
			      .user = k.user,
			      .host = k.host,
			      .service = k.service },
	    &e);
	if (k.sasl == NULL)
		(void)say_error(&e);
	else
		serve(&k);
	sasl_free(&k.sasl);
	if (k.trace >= 0)
		close(k.trace);
	return EX_OK;
}
