/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_DELIVER_ANSWER_H
#define MAILHAUL_DELIVER_ANSWER_H

/* What a job has found out, as packets to the engine. out is a buffer of
 * WIRE_MAX octets to make them in. */

#include "deliver/job.h"
#include "io/ipc.h"
#include "util/buf.h"

void answer_box(struct ipc *ipc, struct buf *out, const struct job *j);
void answer_list(struct ipc *ipc, struct buf *out, const struct job *j);
void answer_verify(struct ipc *ipc, struct buf *out, const struct job *j);
void answer_asked(struct ipc *ipc, struct buf *out, const struct job *j);
void answer_names(struct ipc *ipc, struct buf *out, const struct job *j);
void answer_recalled(struct ipc *ipc, struct buf *out, const struct job *j);

#endif
