/* SPDX-License-Identifier: ISC */
#include "proc/login_qr.h"

#include <dlfcn.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Loaded when there is a code to be shown: it is a nicety, and no reason to
 * insist on a library. */
#define LIBRARY "libqrencode.so.4"
#define QUIET 2 /* modules around it; the standard has 4, readers want 2 */

typedef QRcode *(*encode_fn)(const char *text, int version, QRecLevel level,
    QRencodeMode mode, int case_sensitive);
typedef void (*free_fn)(QRcode *code);

/* ---- the terminal ---- */

static bool
speaks_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			    strcasestr(value, "utf8") != NULL;
	}
	return false;
}

static bool
is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || strcmp(term, "dumb") == 0;
}

/* Broken lines are no code. */
static bool
has_room(int width)
{
	struct winsize w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 ||
	    width + 2 * QUIET <= w.ws_col;
}

/* ---- the code ---- */

static bool
is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

/* Two modules, one above the other, are one character; dark on light whatever
 * the terminal's colours are. */
static void
draw(const QRcode *code)
{
	static const char *const blocks[] = { " ", "\u2580", "\u2584",
		"\u2588" };

	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		fputs("    \033[30;107m", stdout);
		for (int x = -QUIET; x < code->width + QUIET; x++)
			fputs(blocks[(is_dark(code, x, y) ? 1 : 0) +
				  (is_dark(code, x, y + 1) ? 2 : 0)],
			    stdout);
		fputs("\033[0m\n", stdout);
	}
	putchar('\n');
}

static void
show_by(void *library, const char *text)
{
	encode_fn encode;
	free_fn let_go;
	QRcode *code;
	/* what dlsym(3) gives is a pointer to data for the language */
	void *symbols[] = { dlsym(library, "QRcode_encodeString"),
		dlsym(library, "QRcode_free") };

	if (symbols[0] == NULL || symbols[1] == NULL)
		return;
	memcpy(&encode, &symbols[0], sizeof(encode));
	memcpy(&let_go, &symbols[1], sizeof(let_go));
	code = encode(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (code == NULL)
		return;
	if (has_room(code->width + 4))
		draw(code);
	let_go(code);
}

void
login_qr_show(const char *text)
{
	void *library;

	if (!isatty(STDOUT_FILENO) || is_dumb() || !speaks_utf8())
		return;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return;
	show_by(library, text);
	dlclose(library);
}
