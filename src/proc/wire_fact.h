/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_WIRE_FACT_H
#define MAILHAUL_PROC_WIRE_FACT_H

/* A fact on its way from the engine, which is not trusted: what is unpacked is
 * printable and bounded, whatever was packed. */

#include <stdbool.h>

#include "fetch/fact.h"
#include "util/buf.h"
#include "util/pack.h"

void wire_pack_fact(struct buf *b, const struct fact *fact);
/* False when it makes no sense; the texts are allocated either way. */
bool wire_unpack_fact(struct unpack *u, struct fact *fact);
void wire_copy_fact(struct fact *to, const struct fact *from);
void wire_free_fact(struct fact *fact); /* its texts */

#endif
