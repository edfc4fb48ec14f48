/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_PHRASE_H
#define MAILHAUL_CONF_CONF_PHRASE_H

/* What libconfuse says is wrong with a file, in words that help. */

#define CONF_NO_EQUAL "missing equal sign after option '%s'"
#define CONF_NO_TITLE "missing title for section '%s'"
#define CONF_NO_OPTION "no such option '%s'"

struct conf_phrase {
	const char *theirs;         /* libconfuse's format */
	const char *before, *after; /* ours, around what its %s is, if any */
};

/* NULL: that is none we know. */
const struct conf_phrase *conf_phrase_find(const char *theirs);

#endif
