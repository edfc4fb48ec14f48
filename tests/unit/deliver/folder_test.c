/* SPDX-License-Identifier: ISC */
#include "deliver/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAILDIR "/home/u/Maildir"

static const struct {
	const char *mailbox;
	char delimiter;
	const char *name; /* "": the Maildir itself */
} folders[] = {
	{ "INBOX", '/', "" },
	{ "inbox", '.', "" },
	{ "InBoX", '\0', "" },
	{ "Lists/foo", '/', "/.Lists.foo" },
	{ "Lists.foo", '.', "/.Lists.foo" },
	{ "Lists.foo", '/', "/.Lists&AC4-foo" },
	{ "Lists/foo", '.', "/.Lists&AC8-foo" },
	{ "Lists/foo", '\0', "/.Lists&AC8-foo" },
	{ "Lists\\foo", '\\', "/.Lists.foo" },
	/* the children of INBOX, but not what only begins like it */
	{ "INBOX.Sent", '.', "/.Sent" },
	{ "inbox/Sent/2024", '/', "/.Sent.2024" },
	{ "INBOX.Sent", '/', "/.INBOX&AC4-Sent" },
	{ "INBOXES", '/', "/.INBOXES" },
	{ "INBOX/INBOX", '/', "/.INBOX" },
	{ "INBOX/", '/', "/.&AF8-" },
	{ "a/INBOX", '/', "/.a.INBOX" },
	/* what Dovecot and Courier write */
	{ "Entw\xc3\xbcrfe", '/', "/.Entw&APw-rfe" },
	{ "R&D", '/', "/.R&-D" },
	{ "a b~c", '/', "/.a b~c" },
	{ "\xe5\x8f\xb0/\xe5\x8c\x97", '/', "/.&U,A-.&Uxc-" },
	/* what would lead out of the Maildir, or nowhere */
	{ "", '/', "/.&AF8-" },
	{ "", '\0', "/.&AF8-" },
	{ ".", '/', "/.&AC4-" },
	{ "..", '/', "/.&AC4ALg-" },
	{ "..", '\0', "/.&AC4ALg-" },
	{ "..", '.', "/.&AF8-.&AF8-.&AF8-" },
	{ "/", '/', "/.&AF8-.&AF8-" },
	{ "/", '.', "/.&AC8-" },
	{ "a/../b", '/', "/.a.&AC4ALg-.b" },
	{ "../../etc/passwd", '\0', "/.&AC4ALgAvAC4ALgAv-etc&AC8-passwd" },
	{ "/etc/passwd", '/', "/.&AF8-.etc.passwd" },
	{ "a//b", '/', "/.a.&AF8-.b" },
	{ "_", '/', "/._" },
	{ "a\nb\x7f\x1b", '/', "/.a&AAo-b&AH8AGw-" },
	{ "\xff", '/', "/.&3P8-" },
	{ "\xc0\xae\xc0\xae/x", '/', "/.&3MDcrtzA3K4-.x" },
};

static void
finds_the_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char want[300];
		char *path = folder_path(
		    MAILDIR, folders[i].mailbox, folders[i].delimiter);

		snprintf(want, sizeof(want), MAILDIR "%s", folders[i].name);
		assert_string_equal(path, want);
		free(path);
	}
}

/* One directory in the Maildir, of a bearable length, in ASCII. */
static void
expect_safe(const char *path)
{
	const char *name = path + strlen(MAILDIR);

	assert_memory_equal(path, MAILDIR, strlen(MAILDIR));
	assert_memory_equal(name, "/.", 2);
	name++;
	assert_null(strchr(name, '/'));
	assert_null(strstr(name, ".."));
	assert_true(name[1] != '\0' && name[strlen(name) - 1] != '.');
	assert_true(strlen(name) <= FOLDER_NAME_MAX);
	for (; *name != '\0'; name++)
		assert_true(*name >= ' ' && *name <= '~');
}

static char *
long_name(const char *piece, size_t times)
{
	size_t n = strlen(piece);
	char *name = malloc(n * times + 1);

	assert_non_null(name);
	for (size_t i = 0; i < times; i++)
		memcpy(name + n * i, piece, n);
	name[n * times] = '\0';
	return name;
}

static void
cuts_what_is_too_long(void **state)
{
	static const char *const pieces[] = { "a", "/", ".", "\xc3\xbc", "\x80",
		"\xf0\x9f\x98\x80", "&", "a\xe2\x98\xba", "\xf0", "ab/", "\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		char *name = long_name(pieces[i], 20000);
		char *path = folder_path(MAILDIR, name, '/'), *other;
		const char *hash = strrchr(path, '-');

		expect_safe(path);
		assert_int_equal(strspn(hash + 1, "0123456789abcdef"), 32);
		assert_int_equal(strlen(hash), 33);
		name[strlen(name) - 1] = 'x';
		other = folder_path(MAILDIR, name, '/');
		expect_safe(other);
		assert_string_not_equal(path, other);
		free(other);
		free(path);
		free(name);
	}
}

static void
cuts_no_sooner_than_it_must(void **state)
{
	char *name = long_name("a", FOLDER_NAME_MAX);
	char *path;

	(void)state;
	path = folder_path(MAILDIR, name, '/');
	assert_int_equal(strlen(path), strlen(MAILDIR) + 1 + FOLDER_NAME_MAX);
	assert_int_equal(strspn(strrchr(path, '.') + 1, "a"), 166);
	assert_memory_equal(strrchr(path, '.') + 167, "-", 1);
	free(path);
	name[FOLDER_NAME_MAX - 1] = '\0';
	path = folder_path(MAILDIR, name, '/');
	assert_int_equal(strlen(path), strlen(MAILDIR) + 1 + FOLDER_NAME_MAX);
	assert_string_equal(strrchr(path, '.') + 1, name);
	free(path);
	free(name);
}

/* A reader that knows modified UTF-7 can still show what is left. */
static void
cuts_between_characters(void **state)
{
	char *name = long_name("\xf0\x9f\x98\x80", 100);
	char *path = folder_path(MAILDIR, name, '/');
	const char *end = strstr(path, "--");

	(void)state;
	assert_non_null(end); /* of base64, and before the hash */
	assert_int_equal(strlen(end + 2), 32);
	/* three of these are sixteen digits, two eleven, one six */
	end--;
	assert_true((end - strchr(path, '&')) % 16 == 0 ||
	    (end - strchr(path, '&')) % 16 == 11 ||
	    (end - strchr(path, '&')) % 16 == 6);
	free(path);
	free(name);
}

/* ---- no two are the same ---- */

#define PIECES 13
#define LENGTH 4 /* pieces of a name, at most */

static const char *const alphabet[PIECES] = { "/", ".", "&", "-", "_", "a",
	"AC4", "\xc3", "\xbc", "\xed\xb2\x80", "\xf0\x90\x82\x80", "\x1f",
	"\xff" };

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
nth_name(size_t i)
{
	static char name[64];
	size_t n = 0;

	for (; i > 0; i = (i - 1) / PIECES) {
		const char *piece = alphabet[(i - 1) % PIECES];

		memcpy(name + n, piece, strlen(piece));
		n += strlen(piece);
	}
	name[n] = '\0';
	return name;
}

static size_t
count_same(char **v, size_t n)
{
	size_t same = 0;

	qsort(v, n, sizeof(char *), compare);
	for (size_t i = 1; i < n; i++)
		same += strcmp(v[i - 1], v[i]) == 0;
	return same;
}

static void
gives_no_two_mailboxes_one_folder(void **state)
{
	static const char delimiters[] = { '/', '.', '\0' };
	size_t n = 1 + PIECES * (1 + PIECES * (1 + PIECES * (1 + PIECES)));
	char **names = calloc(n, sizeof(char *));
	char **paths = calloc(n, sizeof(char *));

	(void)state;
	assert_true(n > 28000);
	for (size_t d = 0; d < 3; d++) {
		for (size_t i = 0; i < n; i++) {
			names[i] = strdup(nth_name(i));
			paths[i] =
			    folder_path(MAILDIR, names[i], delimiters[d]);
			expect_safe(paths[i]);
		}
		/* some of the names themselves are made in two ways */
		assert_int_equal(count_same(paths, n), count_same(names, n));
		for (size_t i = 0; i < n; i++) {
			free(names[i]);
			free(paths[i]);
		}
	}
	free(names);
	free(paths);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_folder),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(cuts_no_sooner_than_it_must),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(gives_no_two_mailboxes_one_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
