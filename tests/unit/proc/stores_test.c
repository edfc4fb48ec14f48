/* SPDX-License-Identifier: ISC */
#include "proc/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PEM "-----BEGIN CERTIFICATE-----\n"
#define FRESH_MS 1000 /* so long a file is not read again */

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static uint32_t
find(struct stores *s, const char *file)
{
	uint32_t number;
	struct err e;

	if (stores_find(s, file, &number, &e) != 0)
		fail_msg("%s", e.text);
	return number;
}

static void
keeps_a_file_once_and_gives_its_octets(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();
	char octets[64] = "";

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	assert_int_equal(stores_count(s), 0);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(stores_count(s), 1);
	assert_true(pread(stores_fd(s, 1), octets, 63, 0) > 0);
	assert_string_equal(octets, PEM "A\n");
	stores_free(&s);
	unlink(path);
}

static void
takes_a_file_that_changed_for_another(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	assert_int_equal(find(s, path), 1);
	write_file(path, PEM "B");
	(void)poll(NULL, 0, FRESH_MS + 100);
	assert_int_equal(find(s, path), 2);
	write_file(path, PEM "A");
	(void)poll(NULL, 0, FRESH_MS + 100);
	assert_int_equal(find(s, path), 1);
	assert_int_equal(stores_count(s), 2);
	stores_free(&s);
	unlink(path);
}

/* An engine that was taken over hands nothing to the next one. */
static void
seals_what_it_keeps(void **state)
{
	char path[] = "/tmp/stores.XXXXXX";
	struct stores *s = stores_new();
	int fd;

	(void)state;
	close(mkstemp(path));
	write_file(path, PEM "A");
	fd = stores_fd(s, find(s, path));
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(
	    mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	stores_free(&s);
	unlink(path);
}

static void
tells_what_cannot_be_read(void **state)
{
	struct stores *s = stores_new();
	uint32_t number;
	struct err e;

	(void)state;
	assert_int_equal(stores_find(s, "/no/such/file", &number, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(stores_count(s), 0);
	stores_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_file_once_and_gives_its_octets),
		cmocka_unit_test(takes_a_file_that_changed_for_another),
		cmocka_unit_test(seals_what_it_keeps),
		cmocka_unit_test(tells_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
