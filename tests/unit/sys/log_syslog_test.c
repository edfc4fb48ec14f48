/* SPDX-License-Identifier: ISC */
#include "sys/log_syslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <syslog.h>

/* The library's own are not called: these stand in front of them. */
static char ident[64], text[256];
static int facility, options, priority;

void
openlog(const char *name, int opt, int fac)
{
	snprintf(ident, sizeof(ident), "%s", name);
	options = opt;
	facility = fac;
}

static void note(int pri, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
note(int pri, const char *fmt, va_list ap)
{
	priority = pri;
	vsnprintf(text, sizeof(text), fmt, ap);
}

#undef syslog
#define TAKE(pri)                                                              \
	do {                                                                   \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		note(pri, fmt, ap);                                            \
		va_end(ap);                                                    \
	} while (0)

/* What a release calls. */
void __syslog_chk(int pri, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void
__syslog_chk(int pri, int flag, const char *fmt, ...)
{
	(void)flag;
	TAKE(pri);
}

#ifndef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#endif
#if __USE_FORTIFY_LEVEL == 0
void
syslog(int pri, const char *fmt, ...)
{
	TAKE(pri);
}
#endif

static void
sends_as_mailhaul_of_the_facility_mail(void **state)
{
	(void)state;
	log_syslog_open();
	assert_string_equal(ident, "mailhaul");
	assert_int_equal(facility, LOG_MAIL);
	assert_true((options & LOG_PID) != 0);
	assert_true((options & LOG_NDELAY) != 0);
}

static void
sends_text_and_not_a_format(void **state)
{
	(void)state;
	log_syslog_send(LOG_WARNING, "work: 100%s %n");
	assert_int_equal(priority, LOG_WARNING);
	assert_string_equal(text, "work: 100%s %n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_as_mailhaul_of_the_facility_mail),
		cmocka_unit_test(sends_text_and_not_a_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
