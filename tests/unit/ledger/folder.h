/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_LEDGER_FOLDER_H
#define MAILHAUL_TESTS_UNIT_LEDGER_FOLDER_H

/* A temporary folder with a ledger in it, and what the ledger tests share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/ledger.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/mem.h"
#include "util/set.h"

#define FOLDER_PATH 128

struct folder {
	char dir[FOLDER_PATH / 2];
	char path[FOLDER_PATH]; /* dir/ledger */
};

static inline void
folder_make(struct folder *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/mailhaul-ledger-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/ledger", f->dir);
}

static const char *const folder_names[] = { "", "-wal", "-shm", "-journal",
	".new", ".new-journal" };

#define FOLDER_NAMES (sizeof(folder_names) / sizeof(folder_names[0]))

static inline void
folder_beside(char out[FOLDER_PATH + 16], const char *path, const char *suffix)
{
	snprintf(out, FOLDER_PATH + 16, "%s%s", path, suffix);
}

static inline void
folder_empty(struct folder *f)
{
	char name[FOLDER_PATH + 16];
	size_t i;

	for (i = 0; i < FOLDER_NAMES; i++) {
		folder_beside(name, f->path, folder_names[i]);
		if (unlink(name) < 0)
			rmdir(name);
	}
}

static inline void
folder_remove(struct folder *f)
{
	folder_empty(f);
	assert_int_equal(rmdir(f->dir), 0);
}

/* The whole file, or nothing; the caller frees. */
static inline char *
folder_read(const char *name, size_t *n)
{
	FILE *f = fopen(name, "rb");
	struct stat st;
	char *mem;

	*n = 0;
	if (f == NULL)
		return NULL;
	assert_int_equal(fstat(fileno(f), &st), 0);
	mem = mem_array((size_t)st.st_size + 1, 1);
	*n = fread(mem, 1, (size_t)st.st_size, f);
	fclose(f);
	return mem;
}

static inline void
folder_write(const char *name, const char *mem, size_t n)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(mem, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(name, 0600), 0);
}

/* What a crash right now would leave of from, as the ledger of to. */
static inline void
folder_crash(const struct folder *from, struct folder *to)
{
	char name[FOLDER_PATH + 16];
	size_t i, n;

	folder_make(to);
	for (i = 0; i < 2; i++) { /* the file and its log */
		char *mem;

		folder_beside(name, from->path, folder_names[i]);
		mem = folder_read(name, &n);
		if (mem == NULL)
			continue;
		folder_beside(name, to->path, folder_names[i]);
		folder_write(name, mem, n);
		free(mem);
	}
}

/* "1:3,7" */
static inline void
assert_set(const struct set *s, const char *text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(set_write(s, &b), 0);
	assert_int_equal(buf_addc(&b, '\0'), 0);
	assert_string_equal(buf_span(&b).p, text);
	buf_deinit(&b);
}

static inline struct set
set_of(const char *text)
{
	struct set s;

	set_init(&s);
	if (text[0] != '\0')
		assert_true(set_read(&s, span_of(text), 0));
	return s;
}

#endif
