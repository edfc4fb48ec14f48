/* SPDX-License-Identifier: ISC */
#include "util/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SESSIONS 1000
#define LARGE 32768
#define SMALL 1000

static void
gives_zeroed_memory(void **state)
{
	static const char zero[100];
	char *a = mem_new(100), *b = mem_array(10, 10);

	(void)state;
	assert_memory_equal(a, zero, 100);
	assert_memory_equal(b, zero, 100);
	free(a);
	free(b);
}

static void
gives_memory_for_nothing(void **state)
{
	void *p = mem_new(0);

	(void)state;
	assert_non_null(p);
	p = mem_grow(p, 0, 8);
	assert_non_null(p);
	free(p);
}

static void
copies_strings_and_spans(void **state)
{
	char *s = mem_strdup("abc"), *t = mem_spandup(SPAN("a\0b"));
	char *u = mem_printf("%s-%d", s, 7);
	char *v = mem_spandup(span_make(NULL, 0));

	(void)state;
	assert_string_equal(s, "abc");
	assert_memory_equal(t, "a\0b\0", 4);
	assert_string_equal(u, "abc-7");
	assert_string_equal(v, "");
	assert_null(mem_strdup(NULL));
	free(s);
	free(t);
	free(u);
	free(v);
}

static void
wipes_octets(void **state)
{
	char s[] = "secret";

	(void)state;
	mem_wipe(s, 3);
	assert_memory_equal(s, "\0\0\0ret", 6);
	mem_wipe(NULL, 0);
}

/* AddressSanitizer would end the process first, in its own words. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static const char last_words[] = "mailhaul: out of memory\n";

/* What the process exits with, and says, when fn wants too much. */
static void
expect_out_of_memory(void (*fn)(void))
{
	char said[4096];
	size_t n = 0;
	int ends[2], status;
	ssize_t r;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while ((r = read(ends[0], said + n, sizeof(said) - n)) > 0)
		n += (size_t)r;
	close(ends[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_OSERR);
	assert_true(n >= sizeof(last_words) - 1);
	n -= sizeof(last_words) - 1;
	assert_memory_equal(said + n, last_words, sizeof(last_words) - 1);
}

/* Times four it is four, if nobody looks. */
static size_t
too_many(void)
{
	volatile size_t n = SIZE_MAX / 4 + 2; /* the compiler must not know */

	return n;
}

static void
overflow_in_array(void)
{
	free(mem_array(too_many(), 4));
}

static void
overflow_in_grow(void)
{
	free(mem_grow(NULL, too_many(), 4));
}

static void
ends_the_process_on_overflow(void **state)
{
	(void)state;
	expect_out_of_memory(overflow_in_array);
	expect_out_of_memory(overflow_in_grow);
}

/* Pages of this process that are in memory, in KiB. */
static long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[256], *rest;

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	(void)strtol(line, &rest, 10); /* all */
	return strtol(rest, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* As sessions do: each has something large for a while, and something small
 * for long. How much is held when only that is left. */
static long
growth_kib(void)
{
	static char *large[SESSIONS], *small[SESSIONS];
	long before = resident_kib();

	for (size_t i = 0; i < SESSIONS; i++) {
		large[i] = mem_grow(NULL, LARGE, 1);
		memset(large[i], 1, LARGE);
		small[i] = mem_grow(NULL, SMALL, 1);
		memset(small[i], 1, SMALL);
	}
	for (size_t i = 0; i < SESSIONS; i++)
		free(large[i]);
	return resident_kib() - before;
}

static void
when_tuned(void)
{
	mem_tune(LARGE / 2);
	_exit(growth_kib() < SESSIONS * 2 * SMALL / 1024 ? 0 : 1);
}

static void
when_trimmed(void)
{
	long grown = growth_kib();
	long before = resident_kib();

	mem_trim();
	_exit(resident_kib() < before - grown / 2 ? 0 : 1);
}

/* In a process of its own: what is tuned stays so. */
static void
expect_success(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		fn();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
leaves_no_holes_between_what_is_small(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* memory is not the library's, and is kept for a while */
#endif
	expect_success(when_tuned);
}

static void
gives_holes_back(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	expect_success(when_trimmed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_memory),
		cmocka_unit_test(gives_memory_for_nothing),
		cmocka_unit_test(copies_strings_and_spans),
		cmocka_unit_test(wipes_octets),
		cmocka_unit_test(leaves_no_holes_between_what_is_small),
		cmocka_unit_test(gives_holes_back),
		cmocka_unit_test(ends_the_process_on_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
