/* SPDX-License-Identifier: ISC */
#include "fetch/pop3_large.h"

#include "fetch/pop3_work.h"
#include "sys/log.h"

static void
on_stub(void *arg, uint32_t number, bool known, const struct err *e)
{
	struct pop3_run *r = arg;

	(void)known;
	pop3_work_stub(r, number, e);
}

void
pop3_large_init(struct pop3_run *r)
{
	large_init(&r->large, r->f->params, &r->intake, NULL, on_stub);
	buf_init(&r->header, LARGE_HEADER_MAX);
}

void
pop3_large_deinit(struct pop3_run *r)
{
	large_deinit(&r->large);
	buf_deinit(&r->header);
	set_deinit(&r->full);
	set_deinit(&r->over);
}

static bool
is_limited(const struct pop3_run *r, uint32_t number)
{
	return r->f->params->max_size > 0 && !set_has(&r->full, number);
}

static void
add(struct pop3_run *r, uint32_t number)
{
	char reason[128];

	if (!r->by_content) {
		set_add(&r->over, number, number);
		return;
	}
	large_reason(reason, sizeof(reason),
	    sizes_of(&r->listing.sizes, number), r->f->params->max_size);
	log_warning(r->f->params->subject, "message %u is not fetched: %s",
	    number, reason);
}

void
pop3_large_sort(struct pop3_run *r)
{
	uint64_t max = r->f->params->max_size;
	struct set over = { 0 };

	r->sizing = false;
	for (uint32_t n = 1; n <= r->listing.sizes.n; n++)
		if (sizes_of(&r->listing.sizes, n) > max &&
		    set_has(&r->fresh, n) && is_limited(r, n))
			set_add(&over, n, n);
	set_remove_set(&r->fresh, &over);
	for (size_t i = 0; i < over.n; i++)
		for (uint32_t n = over.r[i].first; n <= over.r[i].last; n++)
			add(r, n);
	set_deinit(&over);
}

/* While it waits, its name is in use. */
static void
follow(struct pop3_run *r, enum intake_answer answer)
{
	if (!r->large.waiting)
		pop3_names_drop(&r->names, r->large.number);
	if (answer == INTAKE_FAILED)
		pop3_run_end(r, &r->large.e);
	else
		pop3_session_pause(r->session, answer == INTAKE_WAIT);
}

void
pop3_large_resume(struct pop3_run *r)
{
	follow(r, large_resume(&r->large));
}

static void
note(struct pop3_run *r, uint32_t number)
{
	uint64_t size = sizes_of(&r->listing.sizes, number);

	if (size <= r->f->params->max_size) /* LIST was wrong */
		size = r->f->params->max_size + 1;
	if (r->f->params->stubs)
		r->intake.uidl = pop3_names_of(&r->names, number);
	follow(r, large_note(&r->large, number, size, buf_span(&r->header)));
}

/* A stub goes the way of bodies: none may be half in. */
static bool
may_note(const struct pop3_run *r)
{
	return !r->f->params->stubs || r->asked == 0;
}

void
pop3_large_ask(struct pop3_run *r)
{
	struct pop3 *m = pop3_run_machine(r);

	while (!r->ended && r->heading == 0 && !r->large.waiting &&
	    !set_empty(&r->over)) {
		uint32_t n = set_first(&r->over);
		bool bare;

		if (!pop3_names_has(&r->names, n))
			return;
		bare = pop3_capabilities(m).n > 0 && !pop3_can(m, "TOP");
		if (bare && !may_note(r))
			return;
		set_remove(&r->over, n, n);
		buf_clear(&r->header);
		if (bare) {
			note(r, n);
			continue;
		}
		r->heading = n;
		pop3_top(m, n);
	}
}

bool
pop3_large_idle(const struct pop3_run *r)
{
	return !r->sizing && r->heading == 0 && !r->large.waiting &&
	    set_empty(&r->over);
}

bool
pop3_large_cuts(struct pop3_run *r, uint32_t number, size_t octets)
{
	if (!is_limited(r, number) || intake_at(&r->intake) == 0 ||
	    intake_octets(&r->intake) + octets <= r->f->params->max_size)
		return false;
	intake_drop(&r->intake);
	add(r, number);
	return true;
}

/* ---- the header ---- */

static bool
is_ours(const struct pop3_run *r, const struct pop3_info *info)
{
	return info->request == POP3_REQ_TOP && r->heading != 0 &&
	    info->number == r->heading;
}

bool
pop3_large_body(
    struct pop3_run *r, enum pop3_event ev, const struct pop3_info *info)
{
	struct span octets = info->data;

	if (!is_ours(r, info))
		return false;
	if (ev == POP3_BODY_DATA)
		(void)buf_add(&r->header,
		    span_take(&octets, LARGE_HEADER_MAX - r->header.n));
	return true;
}

/* Refused or not: what there is of it will do. */
bool
pop3_large_done(struct pop3_run *r, const struct pop3_info *info)
{
	if (!is_ours(r, info))
		return false;
	r->heading = 0;
	note(r, info->number);
	return true;
}
