/* SPDX-License-Identifier: ISC */
#include "proc/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "conf/conf_value.h"
#include "io/https.h"
#include "io/ipc.h"
#include "proc/scout.h"
#include "proc/setup_section.h"
#include "proc/spawn.h"
#include "proc/wire.h"
#include "util/mem.h"
#include "util/text.h"

#define HTTPS_MS 10000
#define LIMIT_MS 60000 /* of all: what is asked has shorter ones */
#define END_MS 1000

struct page {
	struct setup *setup; /* not ours */
	enum scout_page which;
	struct https *https;
};

struct setup {
	struct loop *loop;
	struct ipc *scout;
	struct page pages[SCOUT_PAGES];
	const char *address, *domain;
	bool pop3;
	bool answered; /* by the scout */
	int status;
};

/* ---- what is said to the user ---- */

static int
print(const struct setup_found *found, const char *address, bool pop3)
{
	struct buf b;

	if (pop3 && found->protocol != CONF_POP3)
		fputs("mailhaul: there is no POP3: this is IMAP\n", stderr);
	if (!pop3 && found->protocol == CONF_POP3)
		fputs("mailhaul: there is no IMAP: this is POP3\n", stderr);
	buf_init(&b, SETUP_SECTION_MAX);
	setup_section_put(&b, found, address);
	fwrite(buf_span(&b).p, 1, b.n, stdout);
	buf_deinit(&b);
	return EX_OK;
}

static void
print_line(struct span line)
{
	char shown[1024];

	fprintf(stderr, "    %s\n", text_printable(shown, sizeof(shown), line));
}

static int
find_nothing(const char *address)
{
	fprintf(stderr,
	    "mailhaul: nothing was found out about the servers of %s:\n",
	    address);
	return EX_UNAVAILABLE;
}

/* ---- what is fetched ---- */

static void
say_page(struct page *p, const char *why)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, (uint8_t)p->which);
	pack_str(&b, why);
	ipc_send(p->setup->scout, SCOUT_PAGE, buf_span(&b));
	buf_deinit(&b);
}

static void
say_pieces(struct page *p, struct span body)
{
	const size_t most = IPC_PAYLOAD_MAX - 16;

	while (body.n > 0) {
		struct buf b;

		buf_init(&b, IPC_PAYLOAD_MAX);
		pack_u8(&b, (uint8_t)p->which);
		pack_span(&b, span_take(&body, body.n < most ? body.n : most));
		ipc_send(p->setup->scout, SCOUT_PIECE, buf_span(&b));
		buf_deinit(&b);
	}
}

/* It is only handed on: none of it is looked at here. */
static void
on_https(void *arg, const struct https_answer *answer, const struct err *e)
{
	struct page *p = arg;
	char why[64] = "";

	p->https = NULL;
	if (e != NULL) {
		say_page(p, e->text);
		return;
	}
	if (answer->status != 200)
		(void)snprintf(
		    why, sizeof(why), "HTTP status %u", answer->status);
	else
		say_pieces(p, answer->body);
	say_page(p, why);
}

/* RFC 3986 2.1 */
static void
put_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (text_is_plain(*s) && strchr("@+/=", *s) == NULL)
			(void)buf_addc(out, *s);
		else
			(void)buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

/* Thunderbird's way to ask: the first is told whose it is. */
static void
fetch(struct page *p)
{
	const struct setup *s = p->setup;
	char *url = scout_url(p->which, s->domain);
	struct buf b;

	buf_init(&b, HTTPS_URL_MAX);
	(void)buf_printf(&b, "%s", url);
	if (p->which == SCOUT_AUTOCONFIG) {
		(void)buf_printf(&b, "?emailaddress=");
		put_escaped(&b, s->address);
	}
	(void)buf_addc(&b, '\0');
	p->https = https_start(s->loop,
	    &(struct https_params){
		.url = buf_span(&b).p, .timeout_ms = HTTPS_MS, .follow = true },
	    on_https, p);
	buf_deinit(&b);
	free(url);
}

/* ---- what the scout says ---- */

static void
hear_nothing(struct setup *s, struct unpack *u)
{
	uint8_t n = unpack_u8(u);

	s->status = find_nothing(s->address);
	for (uint8_t i = 0; i < n && i < SCOUT_TRIED_MAX; i++)
		print_line(unpack_span(u));
	fputs("Ask the provider for the names of its servers, and see "
	      "mailhaul.conf(5).\n",
	    stderr);
}

static void
on_packet(void *arg, struct ipc_packet *packet)
{
	struct setup *s = arg;
	struct setup_found found;
	struct unpack u;

	if (packet != NULL && !s->answered) {
		u = unpack_of(packet->payload);
		if (packet->type == SCOUT_FOUND &&
		    setup_found_unpack(&u, &found)) {
			s->answered = true;
			s->status = print(&found, s->address, s->pop3);
		} else if (packet->type == SCOUT_NOTHING) {
			s->answered = true;
			hear_nothing(s, &u);
		}
	}
	loop_stop(s->loop);
}

static void
on_limit(void *arg)
{
	struct setup *s = arg;

	loop_stop(s->loop);
}

/* ---- the search ---- */

static void
ask(struct setup *s)
{
	struct buf b;

	buf_init(&b, IPC_PAYLOAD_MAX);
	pack_u8(&b, s->pop3);
	pack_str(&b, s->address);
	ipc_send(s->scout, SCOUT_ASK, buf_span(&b));
	buf_deinit(&b);
	for (size_t i = 0; i < SCOUT_PAGES; i++) {
		s->pages[i] =
		    (struct page){ .setup = s, .which = (enum scout_page)i };
		fetch(&s->pages[i]);
	}
}

static void
talk(struct setup *s, int fd)
{
	struct loop_timer *limit;

	s->loop = loop_new();
	s->scout = ipc_new(s->loop, fd, on_packet, s);
	limit = loop_timer_new(s->loop, on_limit, s);
	loop_timer_arm(limit, LIMIT_MS);
	ask(s);
	loop_run(s->loop);
	for (size_t i = 0; i < SCOUT_PAGES; i++)
		https_free(&s->pages[i].https);
	loop_timer_free(&limit);
	ipc_free(&s->scout);
	loop_free(&s->loop);
}

static int
search(const char *address, const char *domain, bool pop3)
{
	struct setup s = { .address = address,
		.domain = domain,
		.pop3 = pop3,
		.status = EX_UNAVAILABLE };
	char why[100] = "it said nothing that makes sense";
	struct err e;
	int fd;
	pid_t pid = spawn_role(SPAWN_SCOUT, NULL, -1, &fd, &e);

	if (pid < 0) {
		fprintf(stderr, "mailhaul: %s\n", e.text);
		return EX_OSERR;
	}
	talk(&s, fd);
	(void)spawn_reap(pid, END_MS, why, sizeof(why));
	if (!s.answered)
		fprintf(stderr,
		    "mailhaul: the process that looks for the servers of %s "
		    "has no answer: %s\n",
		    address, why);
	return s.status;
}

/* ---- the command ---- */

static int
print_provider(const struct provider *p, const char *address, bool pop3)
{
	struct setup_found found;

	if (setup_found_provider(&found, p, address, pop3))
		return print(&found, address, pop3);
	(void)find_nothing(address);
	fprintf(stderr, "    %s has neither IMAP nor POP3\n", p->name);
	return EX_UNAVAILABLE;
}

static int
refuse(const char *address, const char *what, const char *wrong)
{
	char shown[400];

	fprintf(stderr, "mailhaul: setup %s: %s %s\n",
	    text_printable(shown, sizeof(shown), span_of(address)), what,
	    wrong);
	return EX_USAGE;
}

int
setup_command(const char *address, bool pop3)
{
	const char *wrong = conf_check_address(address);
	const char *at = strrchr(address, '@');
	const struct provider *p;

	if (wrong != NULL)
		return refuse(address, "the address", wrong);
	if (at == NULL || at == address)
		return refuse(address, "the address",
		    "has no \"@\" between a name and a domain");
	wrong = conf_check_host(at + 1);
	if (wrong == NULL && strchr(at + 1, ':') != NULL)
		wrong = "is an address, not a name";
	if (wrong != NULL)
		return refuse(address, "the domain", wrong);
	p = providers_find(at + 1);
	return p != NULL ? print_provider(p, address, pop3)
			 : search(address, at + 1, pop3);
}
