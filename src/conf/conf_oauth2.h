/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_OAUTH2_H
#define MAILHAUL_CONF_CONF_OAUTH2_H

/*
 * Sections "oauth2 NAME", and the presets under them: where tokens of the
 * large providers come from. No client is registered in our name: who uses
 * one has registered it.
 */

#include "conf/conf.h"
#include "conf/conf_kind.h"
#include "conf/conf_options.h"

/* The names of the presets, ending in NULL. */
const char *const *conf_oauth2_presets(void);

struct conf_options conf_oauth2_options(void); /* of such a section */

/* To a whole struct conf_account, whose protocol is read already: its
 * secret.oauth2 from the section or preset of that name. */
CONF_KIND(conf_read_oauth2);

/* What is wrong with the sections: it is told once, not by each account. */
void conf_oauth2_check(struct conf_reader *r);

#endif
