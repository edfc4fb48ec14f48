/* SPDX-License-Identifier: ISC */
#include "proc/login_device.h"

#include <stdio.h>
#include <stdlib.h>

#include "proc/login_qr.h"
#include "sys/clock.h"
#include "util/mem.h"
#include "util/text.h"

#define INTERVAL_MIN_S 1 /* whatever the provider says */
#define INTERVAL_MAX_S 300
#define SLOWER_S 5        /* RFC 8628 3.5 */
#define BACKOFF_MAX_S 60u /* while it cannot be asked */

struct login_device {
	const struct login_flow *flow; /* not ours */
	struct https *https;
	struct loop_timer *timer;
	struct oauth_device device;
	unsigned int interval_s;
	unsigned int failures; /* in a row, of asking */
	uint64_t deadline_ms;
	struct err trouble; /* why it could not be asked the last time */
};

static void
fail(struct login_device *d, const struct err *e)
{
	d->flow->done(d->flow->arg, NULL, e);
}

static void
hush(const struct login_device *d, struct err *e)
{
	oauth_hush(e, d->device.device_code);
	oauth_hush(e, d->flow->client.secret);
}

/* ---- has it been entered? ---- */

static void
wait(struct login_device *d, unsigned int seconds)
{
	uint64_t now = clock_ms();
	uint64_t ms = (uint64_t)seconds * 1000;

	/* never asked again after the deadline, and told of it at once */
	if (now + ms > d->deadline_ms)
		ms = d->deadline_ms > now ? d->deadline_ms - now : 0;
	loop_timer_arm(d->timer, ms);
}

/* Somebody is about to enter the code: a network that is away for a moment, or
 * a provider in trouble, is no reason to give up. */
static bool
is_passing(const struct err *e)
{
	return e->kind == ERR_NET || e->kind == ERR_TEMP ||
	    e->kind == ERR_THROTTLE;
}

static void
back_off(struct login_device *d, const struct err *e)
{
	unsigned int seconds = d->interval_s;

	d->trouble = *e;
	d->failures++;
	for (unsigned int i = 0; i < d->failures && seconds < BACKOFF_MAX_S;
	     i++)
		seconds *= 2;
	wait(d, seconds);
}

static void
on_verdict(struct login_device *d, enum oauth_verdict verdict,
    struct oauth_tokens *tokens, const struct err *e)
{
	switch (verdict) {
	case OAUTH_OK:
		d->flow->done(d->flow->arg, tokens, NULL);
		return;
	case OAUTH_SLOW_DOWN:
		if (d->interval_s + SLOWER_S <= INTERVAL_MAX_S)
			d->interval_s += SLOWER_S;
		break;
	case OAUTH_PENDING:
		break;
	case OAUTH_FAILED:
		if (is_passing(e))
			back_off(d, e);
		else
			fail(d, e);
		return;
	}
	err_clear(&d->trouble);
	d->failures = 0;
	wait(d, d->interval_s);
}

static void
on_polled(void *arg, const struct https_answer *answer, const struct err *e)
{
	struct login_device *d = arg;
	struct oauth_tokens tokens = { 0 };
	enum oauth_verdict verdict = OAUTH_FAILED;
	struct err why;

	d->https = NULL;
	if (e != NULL)
		why = *e;
	else
		verdict = oauth_read_tokens(
		    answer->status, answer->body, &tokens, &why);
	if (e == NULL && verdict == OAUTH_FAILED)
		hush(d, &why);
	on_verdict(d, verdict, &tokens, &why);
}

static void
expire(struct login_device *d)
{
	struct err e;

	if (d->trouble.kind == ERR_NONE)
		err_set(&e, ERR_AUTH, 0,
		    "the code was not entered in time: run the command again");
	else
		(void)err_set(&e, d->trouble.kind, 0,
		    "the code has expired, and the provider could not be "
		    "asked: %.120s",
		    d->trouble.text);
	fail(d, &e);
}

static void
on_timer(void *arg)
{
	struct login_device *d = arg;
	struct buf form;

	if (clock_ms() >= d->deadline_ms) {
		expire(d);
		return;
	}
	buf_init(&form, OAUTH_FORM_MAX);
	oauth_put_device_poll(&form, &d->flow->client, d->device.device_code);
	d->https = login_flow_post(
	    d->flow, d->flow->provider->token_url, &form, on_polled, d);
}

/* ---- the code ---- */

static void
show(const struct oauth_device *device)
{
	char life[32];

	printf("Open this page on any device:\n\n    %s\n\n"
	       "and enter this code there:\n\n    %s\n\n",
	    device->url, device->user_code);
	login_qr_show(
	    device->url_complete == NULL ? device->url : device->url_complete);
	printf("Waiting until that is done; the code is good for %s.\n",
	    text_span_of_time(life, sizeof(life), device->expires_s));
	fflush(stdout);
}

static void
on_code(void *arg, const struct https_answer *answer, const struct err *e)
{
	struct login_device *d = arg;
	struct err why;

	d->https = NULL;
	if (e == NULL &&
	    oauth_read_device(answer->status, answer->body, &d->device, &why) !=
		OAUTH_OK) {
		hush(d, &why);
		e = &why;
	}
	if (e != NULL) {
		fail(d, e);
		return;
	}
	d->interval_s = d->device.interval_s > INTERVAL_MIN_S
	    ? d->device.interval_s
	    : INTERVAL_MIN_S;
	d->deadline_ms = clock_ms() + (uint64_t)d->device.expires_s * 1000;
	show(&d->device);
	wait(d, d->interval_s);
}

/* ---- life ---- */

struct login_device *
login_device_new(const struct login_flow *flow)
{
	struct login_device *d = mem_new(sizeof(*d));
	struct buf form;

	d->flow = flow;
	d->timer = loop_timer_new(flow->loop, on_timer, d);
	buf_init(&form, OAUTH_FORM_MAX);
	oauth_put_device(&form, &flow->client);
	d->https = login_flow_post(
	    flow, flow->provider->device_url, &form, on_code, d);
	return d;
}

void
login_device_free(struct login_device **p)
{
	struct login_device *d = *p;

	*p = NULL;
	if (d == NULL)
		return;
	https_free(&d->https);
	loop_timer_free(&d->timer);
	oauth_device_deinit(&d->device);
	free(d);
}
