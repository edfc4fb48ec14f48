/* SPDX-License-Identifier: ISC */
#include "proto/oauth_json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/mem.h"
#include "util/text.h"

/* The library's memory is ours from oauth_json_new() to oauth_json_free(), so
 * that no piece of a token stays behind in it. */
struct piece {
	size_t n;
	max_align_t octets[];
};

struct oauth_json {
	json_t *root;
};

static void *
take(size_t n)
{
	struct piece *p = mem_new(sizeof(*p) + n);

	p->n = n;
	return p->octets;
}

static void
give(void *octets)
{
	struct piece *p;

	if (octets == NULL)
		return;
	p = (struct piece *)(void *)((char *)octets -
	    offsetof(struct piece, octets));
	mem_wipe(p, sizeof(*p) + p->n);
	free(p);
}

static json_t *
load(struct span text)
{
	json_malloc_t take_before;
	json_free_t give_before;
	json_t *root;

	json_get_alloc_funcs(&take_before, &give_before);
	json_set_alloc_funcs(take, give);
	root = json_loadb(text.p, text.n, 0, NULL);
	json_set_alloc_funcs(take_before, give_before);
	return root;
}

static void
unload(json_t *root)
{
	json_malloc_t take_before;
	json_free_t give_before;

	json_get_alloc_funcs(&take_before, &give_before);
	json_set_alloc_funcs(take, give);
	json_decref(root);
	json_set_alloc_funcs(take_before, give_before);
}

/* The library descends by recursion, up to 2,048 levels. */
static bool
is_deep(struct span text)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > OAUTH_JSON_DEPTH)
			return true;
	}
	return false;
}

struct oauth_json *
oauth_json_new(struct span text)
{
	struct oauth_json *j;
	json_t *root;

	(void)span_skip(&text, SPAN("\xef\xbb\xbf"));
	if (text.n > OAUTH_JSON_MAX || is_deep(text))
		return NULL;
	root = load(text.n == 0 ? SPAN("") : text);
	if (root == NULL)
		return NULL;
	if (!json_is_object(root)) {
		unload(root);
		return NULL;
	}
	j = mem_new(sizeof(*j));
	j->root = root;
	return j;
}

void
oauth_json_free(struct oauth_json **p)
{
	struct oauth_json *j = *p;

	*p = NULL;
	if (j == NULL)
		return;
	unload(j->root);
	free(j);
}

const char *
oauth_json_text(const struct oauth_json *j, const char *name)
{
	return json_string_value(json_object_get(j->root, name));
}

bool
oauth_json_has(const struct oauth_json *j, const char *name)
{
	return json_object_get(j->root, name) != NULL;
}

static bool
read_digits(const char *text, uint64_t max, uint64_t *out)
{
	struct span s = span_trim(span_of(text));

	if (s.n == 0 || strspn(s.p, "0123456789") < s.n)
		return false;
	if (!text_number(&s, max, out))
		*out = max;
	return true;
}

bool
oauth_json_number(
    const struct oauth_json *j, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *v = json_object_get(j->root, name);

	if (json_is_string(v))
		return read_digits(json_string_value(v), max, out);
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		uint64_t n = (uint64_t)json_integer_value(v);

		*out = n < max ? n : max;
		return true;
	}
	if (json_is_real(v) && json_real_value(v) >= 0) {
		double d = json_real_value(v);

		*out = d < (double)max ? (uint64_t)d : max;
		return true;
	}
	return false;
}
