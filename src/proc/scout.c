/* SPDX-License-Identifier: ISC */
#include "proc/scout.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_value.h"
#include "io/ipc.h"
#include "io/query.h"
#include "io/sandbox.h"
#include "proc/setup_section.h"
#include "proc/wire.h"
#include "proto/autoconfig.h"
#include "util/mem.h"

#define WORDS_MAX 400

/* Where it may be found. The first that has it counts. */
enum place {
	AUTOCONFIG,
	WELL_KNOWN,
	WANTED_TLS, /* SRV records of the protocol that is wanted */
	WANTED_STARTTLS,
	OTHER_TLS,
	OTHER_STARTTLS,
	MX,
	PLACES
};

struct find {
	struct scout *scout; /* not ours */
	enum place place;
	struct query *query;
	char *name; /* what is asked for */
	bool done, good;
	struct setup_found found;
	char words[WORDS_MAX]; /* if it is not good */
};

struct scout {
	struct loop *loop;
	struct ipc *ipc;
	struct query_servers *servers;
	bool asked, told, pop3;
	char *address;
	const char *domain;
	struct buf pages[SCOUT_PAGES];
	struct find finds[PLACES];
};

char *
scout_url(enum scout_page page, const char *domain)
{
	return page == SCOUT_AUTOCONFIG
	    ? mem_printf("https://autoconfig.%s/mail/config-v1.1.xml", domain)
	    : mem_printf(
		  "https://%s/.well-known/autoconfig/mail/config-v1.1.xml",
		  domain);
}

/* ---- the verdict ---- */

static void
say_found(struct scout *s, const struct setup_found *found)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	setup_found_pack(&b, found);
	ipc_send(s->ipc, SCOUT_FOUND, buf_span(&b));
	buf_deinit(&b);
}

static void
say_nothing(struct scout *s)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, PLACES);
	for (size_t i = 0; i < PLACES; i++) {
		char line[2 * WORDS_MAX];

		(void)snprintf(line, sizeof(line), "%.390s: %s",
		    s->finds[i].name, s->finds[i].words);
		pack_str(&b, line);
	}
	ipc_send(s->ipc, SCOUT_NOTHING, buf_span(&b));
	buf_deinit(&b);
}

/* As soon as nothing better can come any more. */
static void
decide(struct scout *s)
{
	size_t i;

	if (s->told)
		return;
	for (i = 0; i < PLACES && s->finds[i].done; i++)
		if (s->finds[i].good) {
			say_found(s, &s->finds[i].found);
			s->told = true;
			return;
		}
	if (i == PLACES) {
		say_nothing(s);
		s->told = true;
	}
}

/* words NULL: found is what there is. */
static void
finish(struct find *f, const char *words)
{
	const char *wrong = words;

	if (wrong == NULL)
		wrong = setup_found_check(&f->found);
	f->done = true;
	f->good = wrong == NULL;
	(void)snprintf(f->words, sizeof(f->words), "%s%s",
	    words == NULL && wrong != NULL ? "what it says " : "",
	    wrong == NULL ? "" : wrong);
	decide(f->scout);
}

/* ---- pages ---- */

static const struct autoconfig_server *
choose(const struct scout *s, const struct autoconfig *all)
{
	enum autoconfig_protocol wanted =
	    s->pop3 ? AUTOCONFIG_POP3 : AUTOCONFIG_IMAP;
	const struct autoconfig_server *best = autoconfig_best(all, wanted);

	return best != NULL
	    ? best
	    : autoconfig_best(all, s->pop3 ? AUTOCONFIG_IMAP : AUTOCONFIG_POP3);
}

static void
take_server(struct find *f, const struct autoconfig_server *server)
{
	struct setup_found *to = &f->found;

	to->protocol =
	    server->protocol == AUTOCONFIG_POP3 ? CONF_POP3 : CONF_IMAP;
	to->tls = server->tls == AUTOCONFIG_STARTTLS ? CONF_TLS_STARTTLS
						     : CONF_TLS_IMPLICIT;
	to->port = server->port;
	to->password = server->password;
	to->oauth2 = server->oauth2;
	(void)snprintf(to->host, sizeof(to->host), "%s", server->host);
	(void)snprintf(to->user, sizeof(to->user), "%s", server->user);
	(void)snprintf(
	    to->where, sizeof(to->where), "found at %.360s", f->name);
}

static void
read_page(struct find *f, struct span xml)
{
	const struct scout *s = f->scout;
	struct autoconfig all;
	const struct autoconfig_server *server;
	struct err e;

	if (autoconfig_read(xml, s->address, &all, &e) != 0) {
		finish(f, e.text);
		return;
	}
	server = choose(s, &all);
	if (server == NULL) {
		finish(f,
		    all.clear ? "it has no server with TLS"
			      : "it has no server for us");
		return;
	}
	take_server(f, server);
	finish(f, NULL);
}

/* ---- the DNS ---- */

static bool
is_in(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h >= d && span_ieq(span_of(host + h - d), span_of(domain)) &&
	    (h == d || host[h - d - 1] == '.');
}

/* The places of SRV, in order. */
static enum conf_protocol
protocol_of(const struct find *f)
{
	bool other = f->place >= OTHER_TLS;

	return f->scout->pop3 != other ? CONF_POP3 : CONF_IMAP;
}

static bool
has_starttls(const struct find *f)
{
	return f->place == WANTED_STARTTLS || f->place == OTHER_STARTTLS;
}

/* RFC 6186 4: first the whole address is tried as the user. */
static void
take_srv(struct find *f, const struct query_record *r, bool secure)
{
	const struct scout *s = f->scout;
	struct setup_found *to = &f->found;

	to->protocol = protocol_of(f);
	to->tls = has_starttls(f) ? CONF_TLS_STARTTLS : CONF_TLS_IMPLICIT;
	to->port = r->port;
	to->password = true;
	to->foreign = !secure && !is_in(r->target, s->domain);
	(void)snprintf(to->host, sizeof(to->host), "%s", r->target);
	(void)snprintf(to->user, sizeof(to->user), "%s", s->address);
	(void)snprintf(to->where, sizeof(to->where),
	    "found in the DNS, at %.360s", f->name);
	finish(f, NULL);
}

static void
on_srv(void *arg, const struct query_answer *answer, const struct err *e)
{
	struct find *f = arg;
	const struct query_record *r = NULL;

	f->query = NULL;
	if (e != NULL) {
		finish(f, e->text);
		return;
	}
	for (size_t i = 0; r == NULL && i < answer->n; i++)
		if (answer->records[i].target[0] != '\0' &&
		    answer->records[i].port != 0)
			r = &answer->records[i];
	if (r != NULL)
		take_srv(f, r, answer->secure);
	else
		finish(f,
		    answer->n > 0 ? "it says that there is no such server"
				  : "there is no such record");
}

static void
on_mx(void *arg, const struct query_answer *answer, const struct err *e)
{
	struct find *f = arg;
	const struct provider *p = NULL;
	const char *host = "";

	f->query = NULL;
	if (e != NULL) {
		finish(f, e->text);
		return;
	}
	for (size_t i = 0; p == NULL && i < answer->n; i++) {
		host = answer->records[i].target;
		p = providers_find_mx(host);
	}
	if (p == NULL) {
		finish(f,
		    answer->n > 0 ? "mail goes to nobody whom we know"
				  : "there is no such record");
	} else if (!setup_found_provider(
		       &f->found, p, f->scout->address, f->scout->pop3)) {
		finish(f, "the provider has neither IMAP nor POP3");
	} else {
		(void)snprintf(f->found.where, sizeof(f->found.where),
		    "%s has the mail of that domain, by the DNS (MX %s)",
		    p->name, host);
		finish(f, NULL);
	}
}

static void
ask_srv(struct scout *s, enum place place)
{
	static const char *const services[2][2] = {
		[CONF_IMAP] = { "_imaps", "_imap" },
		[CONF_POP3] = { "_pop3s", "_pop3" },
	};
	struct find *f = &s->finds[place];

	f->name = mem_printf(
	    "%s._tcp.%s", services[protocol_of(f)][has_starttls(f)], s->domain);
	f->query =
	    query_start(s->loop, s->servers, QUERY_SRV, f->name, on_srv, f);
}

/* ---- what is said to it ---- */

static bool
hear_ask(struct scout *s, struct unpack *u)
{
	const char *at;

	if (s->asked)
		return false;
	s->asked = true;
	s->pop3 = unpack_u8(u) != 0;
	s->address = unpack_str(u);
	at = s->address == NULL ? NULL : strrchr(s->address, '@');
	if (!unpack_ok(u) || at == NULL)
		return false;
	s->domain = at + 1;
	for (size_t i = 0; i < PLACES; i++) {
		s->finds[i].scout = s;
		s->finds[i].place = (enum place)i;
	}
	s->finds[AUTOCONFIG].name = scout_url(SCOUT_AUTOCONFIG, s->domain);
	s->finds[WELL_KNOWN].name = scout_url(SCOUT_WELL_KNOWN, s->domain);
	for (int i = WANTED_TLS; i <= OTHER_STARTTLS; i++)
		ask_srv(s, (enum place)i);
	s->finds[MX].name = mem_printf("MX of %s", s->domain);
	s->finds[MX].query = query_start(
	    s->loop, s->servers, QUERY_MX, s->domain, on_mx, &s->finds[MX]);
	return true;
}

/* The first places are the pages. */
static struct find *
page_of(struct scout *s, struct unpack *u)
{
	uint8_t page = unpack_u8(u);

	return s->asked && page < SCOUT_PAGES && !s->finds[page].done
	    ? &s->finds[page]
	    : NULL;
}

static bool
hear_piece(struct scout *s, struct unpack *u)
{
	const struct find *f = page_of(s, u);
	struct span octets = unpack_span(u);

	return f != NULL && unpack_ok(u) &&
	    buf_add(&s->pages[f->place], octets) == 0;
}

static bool
hear_page(struct scout *s, struct unpack *u)
{
	struct find *f = page_of(s, u);
	char *why = unpack_str(u);
	bool good = f != NULL && unpack_ok(u);

	if (good && why[0] != '\0')
		finish(f, why);
	else if (good)
		read_page(f, buf_span(&s->pages[f->place]));
	free(why);
	return good;
}

static bool
hear(struct scout *s, struct ipc_packet *packet)
{
	struct unpack u = unpack_of(packet->payload);

	switch ((enum scout_type)packet->type) {
	case SCOUT_ASK:
		return hear_ask(s, &u);
	case SCOUT_PIECE:
		return hear_piece(s, &u);
	case SCOUT_PAGE:
		return hear_page(s, &u);
	case SCOUT_FOUND:
	case SCOUT_NOTHING:
		break;
	}
	return false;
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct scout *s = arg;

	if (packet == NULL || !hear(s, packet))
		loop_stop(s->loop);
}

/* ---- life ---- */

static void
deinit(struct scout *s)
{
	for (size_t i = 0; i < PLACES; i++) {
		query_free(&s->finds[i].query);
		free(s->finds[i].name);
	}
	for (size_t i = 0; i < SCOUT_PAGES; i++)
		buf_deinit(&s->pages[i]);
	free(s->address);
	query_servers_free(&s->servers);
	ipc_free(&s->ipc);
	loop_free(&s->loop);
}

int
scout_main(void)
{
	struct scout s = { 0 };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SCOUT_PAGES; i++)
		buf_init(&s.pages[i], SCOUT_PAGE_MAX);
	s.loop = loop_new();
	s.ipc = ipc_new(s.loop, WIRE_FD, on_packet, &s);
	s.servers = query_servers_new("/etc/resolv.conf");
	/* a wall that the kernel lacks is no reason to find nothing */
	(void)sandbox_secrets(NULL);
	(void)sandbox_engine(NULL);
	loop_run(s.loop);
	deinit(&s);
	return 0;
}
