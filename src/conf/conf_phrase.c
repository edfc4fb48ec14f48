/* SPDX-License-Identifier: ISC */
#include "conf/conf_phrase.h"

#include <stddef.h>
#include <string.h>

static const struct conf_phrase phrases[] = {
	{ CONF_NO_EQUAL, "\"", "\" must be followed by \"=\" and a value" },
	{ CONF_NO_TITLE, "\"", "\" must be followed by a name and \"{\"" },
	{ "missing opening brace for section '%s'", "\"",
	    "\" begins a section: \"{\" is missing" },
	{ "unexpected token '%s'", "\"",
	    "\" is not expected here: put values that hold signs in quotes" },
	{ "missing parenthesis for function '%s'", "\"",
	    "\" must be written include(\"file\")" },
	{ "syntax error in call of function '%s'", "\"",
	    "\" must be written include(\"file\")" },
	{ "attempt to append to non-list option '%s'", "\"",
	    "\" has one value: write \"=\"" },
	{ "premature end of file",
	    "the file ends inside a section or a value: add what is missing, "
	    "perhaps \"}\"",
	    "" },
	{ "unexpected closing brace",
	    "this \"}\" closes nothing: remove it, or look for one too many "
	    "above",
	    "" },
};

const struct conf_phrase *
conf_phrase_find(const char *theirs)
{
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (strcmp(theirs, phrases[i].theirs) == 0)
			return &phrases[i];
	}
	return NULL;
}
