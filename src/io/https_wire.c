/* SPDX-License-Identifier: ISC */
#include "io/https_wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/pack.h"
#include "util/text.h"

#define PATH_OCTETS_MAX 4096
#define TIMEOUT_MAX_MS 600000
#define STATUS_MIN 100
#define STATUS_MAX 599

enum reply { REPLY_ERROR = 1, REPLY_ANSWER };

/* ---- the request ---- */

static bool
is_url(const char *s)
{
	struct span rest = span_of(s);

	if (rest.n > HTTPS_URL_MAX || !span_iskip(&rest, SPAN("https://")))
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] <= ' ' || rest.p[i] == 0x7f)
			return false;
	return rest.n > 0 && rest.p[0] != '/';
}

int
https_pack_request(struct buf *out, const struct https_params *p, struct err *e)
{
	char shown[120];

	buf_init(out, HTTPS_REQUEST_MAX);
	if (!is_url(p->url))
		return err_set(e, ERR_CONFIG, 0,
		    "\"%s\" is no URL that begins with https://",
		    text_printable(shown, sizeof(shown), span_of(p->url)));
	if (p->form.n > HTTPS_FORM_MAX || span_of(p->proxy).n > HTTPS_URL_MAX ||
	    span_of(p->ca_file).n > PATH_OCTETS_MAX)
		return err_set(e, ERR_CONFIG, 0, "a request that is too long");
	pack_str(out, p->url);
	pack_span(out, p->form);
	pack_str(out, p->ca_file);
	pack_str(out, p->proxy);
	pack_u32(out, p->timeout_ms);
	pack_u8(out, p->follow);
	return 0;
}

/* NULL is sent as empty. */
static char *
unpack_optional(struct unpack *u)
{
	char *s = unpack_str(u);

	if (s != NULL && s[0] == '\0') {
		free(s);
		s = NULL;
	}
	return s;
}

bool
https_unpack_request(struct span octets, struct https_request *out)
{
	struct unpack u = unpack_of(octets);

	*out = (struct https_request){ 0 };
	out->url = unpack_str(&u);
	out->form = unpack_span(&u);
	out->ca_file = unpack_optional(&u);
	out->proxy = unpack_optional(&u);
	out->timeout_ms = unpack_u32(&u);
	out->follow = unpack_u8(&u) != 0;
	return unpack_ok(&u) && is_url(out->url) &&
	    out->timeout_ms <= TIMEOUT_MAX_MS;
}

void
https_request_deinit(struct https_request *r)
{
	if (r->proxy != NULL)
		mem_wipe(r->proxy, strlen(r->proxy));
	free(r->url);
	free(r->ca_file);
	free(r->proxy);
	*r = (struct https_request){ 0 };
}

/* ---- the reply ---- */

void
https_pack_reply(
    struct buf *out, const struct https_answer *a, const struct err *e)
{
	struct span type;

	buf_init(out, HTTPS_REPLY_MAX);
	if (e != NULL) {
		pack_u8(out, REPLY_ERROR);
		pack_u8(out, (uint8_t)e->kind);
		pack_str(out, e->text);
		return;
	}
	assert(a->body.n <= HTTPS_BODY_MAX);
	type = a->type;
	pack_u8(out, REPLY_ANSWER);
	pack_u32(out, a->status);
	pack_span(out,
	    span_take(
		&type, type.n < HTTPS_TYPE_MAX ? type.n : HTTPS_TYPE_MAX));
	pack_span(out, a->body);
}

static int
unpack_error(struct unpack *u, struct err *e)
{
	uint8_t kind = unpack_u8(u);
	struct span text = unpack_span(u);
	char shown[ERR_TEXT_MAX];

	if (!unpack_ok(u) || kind == ERR_NONE || kind >= ERR_KINDS)
		return -1;
	err_set(e, (enum err_kind)kind, 0, "%s",
	    text_printable(shown, sizeof(shown), text));
	return 0;
}

static int
unpack_answer(struct unpack *u, struct https_answer *a)
{
	a->status = unpack_u32(u);
	a->type = unpack_span(u);
	a->body = unpack_span(u);
	if (!unpack_ok(u) || a->status < STATUS_MIN || a->status > STATUS_MAX ||
	    a->type.n > HTTPS_TYPE_MAX || a->body.n > HTTPS_BODY_MAX)
		return -1;
	return 1;
}

int
https_unpack_reply(struct span octets, struct https_answer *a, struct err *e)
{
	struct unpack u = unpack_of(octets);
	uint8_t what = unpack_u8(&u);

	*a = (struct https_answer){ 0 };
	if (what == REPLY_ERROR)
		return unpack_error(&u, e);
	return what == REPLY_ANSWER ? unpack_answer(&u, a) : -1;
}
