/* SPDX-License-Identifier: ISC */
#include "conf/conf_list.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

void
conf_list_add(struct conf_list *l, const char *s)
{
	l->v = mem_grow(l->v, l->n + 2, sizeof(*l->v));
	l->v[l->n++] = mem_strdup(s);
	l->v[l->n] = NULL;
}

void
conf_list_copy(struct conf_list *to, const struct conf_list *from)
{
	size_t i;

	conf_list_free(to);
	for (i = 0; i < from->n; i++)
		conf_list_add(to, from->v[i]);
}

void
conf_list_free(struct conf_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		mem_wipe(l->v[i], strlen(l->v[i]));
		free(l->v[i]);
	}
	free(l->v);
	*l = (struct conf_list){ 0 };
}
