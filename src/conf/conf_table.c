/* SPDX-License-Identifier: ISC */
#include "conf/conf_table.h"

#include <stdlib.h>

#include "util/mem.h"

void
conf_table_add(struct conf_table *t, cfg_opt_t opt)
{
	static const cfg_opt_t end = CFG_END();

	t->v = mem_grow(t->v, t->n + 2, sizeof(*t->v));
	t->v[t->n++] = opt;
	t->v[t->n] = end;
}

/* All are lists to libconfuse: whether one value is enough is a matter of
 * meaning, and no reason to stop reading. */
void
conf_table_add_option(struct conf_table *t, const char *name, cfg_callback_t fn)
{
	cfg_opt_t opt = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, fn);

	conf_table_add(t, opt);
}

void
conf_table_add_section(struct conf_table *t, const char *name,
    const struct conf_table *inside, bool titled, cfg_validate_callback_t fn)
{
	cfg_opt_t *v = inside == NULL ? NULL : inside->v;
	cfg_opt_t opt =
	    CFG_SEC(name, v, CFGF_MULTI | (titled ? CFGF_TITLE : 0));

	opt.validcb = fn;
	conf_table_add(t, opt);
}

void
conf_table_free(struct conf_table *t)
{
	free(t->v);
	*t = (struct conf_table){ 0 };
}
