/* SPDX-License-Identifier: ISC */
#include "proto/imap_say.h"

#define OUTPUT_MAX (16 << 20)

void
imap_say_init(struct imap_say *s)
{
	*s = (struct imap_say){ 0 };
	buf_init(&s->out, OUTPUT_MAX);
	imap_flight_init(&s->flight);
}

void
imap_say_deinit(struct imap_say *s)
{
	imap_say_nothing(s);
	imap_flight_deinit(&s->flight);
}

void
imap_say_rest(struct imap_say *s)
{
	buf_release(&s->out);
	imap_flight_rest(&s->flight);
}

uint32_t
imap_say_begin(struct imap_say *s, enum imap_verb verb)
{
	s->tag++;
	imap_flight_add(&s->flight, verb, s->tag);
	if (buf_printf(&s->out, "A%u ", s->tag) != 0)
		s->full = true;
	return s->tag;
}

uint32_t
imap_say_command(struct imap_say *s, enum imap_verb verb, struct span words)
{
	uint32_t tag = imap_say_begin(s, verb);

	if (buf_add(&s->out, words) != 0 || buf_add(&s->out, SPAN("\r\n")) != 0)
		s->full = true;
	return tag;
}

void
imap_say_secret(struct imap_say *s)
{
	s->secret = s->out.n;
}

void
imap_say_sent(struct imap_say *s, size_t n)
{
	buf_drop(&s->out, n);
	if (s->secret == 0)
		return;
	s->secret -= n < s->secret ? n : s->secret;
	if (s->secret == 0 && s->out.n == 0)
		buf_wipe(&s->out);
}

void
imap_say_nothing(struct imap_say *s)
{
	buf_wipe(&s->out);
	s->secret = 0;
}
