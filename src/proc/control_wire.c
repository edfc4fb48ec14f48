/* SPDX-License-Identifier: ISC */
#include "proc/control_wire.h"

#include <stdlib.h>
#include <string.h>

#include "io/ipc.h"
#include "proc/wire.h"
#include "util/mem.h"

#define NAME_MIN_OCTETS 4 /* the length in front of an empty one */

static struct unpack
open_payload(struct span payload)
{
	struct unpack u = unpack_of(payload);

	if (unpack_u8(&u) != CONTROL_VERSION)
		u.bad = true;
	return u;
}

bool
control_is_foreign(struct span payload)
{
	return payload.n > 0 && (uint8_t)payload.p[0] != CONTROL_VERSION;
}

/* ---- requests ---- */

int
control_pack_request(struct buf *b, const char *const *names, size_t n)
{
	size_t octets = 1;

	for (size_t i = 0; i < n; i++)
		octets += NAME_MIN_OCTETS + strlen(names[i]);
	if (octets > IPC_PAYLOAD_MAX)
		return -1;
	pack_u8(b, CONTROL_VERSION);
	for (size_t i = 0; i < n; i++)
		pack_str(b, names[i]);
	return 0;
}

static bool
is_request(uint8_t type)
{
	return type >= CONTROL_STATUS && type <= CONTROL_RELOAD;
}

bool
control_unpack_request(
    uint8_t type, struct span payload, struct control_request *out)
{
	struct unpack u = open_payload(payload);

	*out = (struct control_request){ .verb = (enum control_type)type };
	if (!is_request(type) || u.bad)
		return false;
	out->names =
	    mem_array(payload.n / NAME_MIN_OCTETS + 1, sizeof(*out->names));
	while (unpack_more(&u))
		out->names[out->n++] = unpack_str(&u);
	if (unpack_ok(&u) && (type != CONTROL_RELOAD || out->n == 0))
		return true;
	control_free_request(out);
	return false;
}

void
control_free_request(struct control_request *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->names[i]);
	free(r->names);
	*r = (struct control_request){ 0 };
}

/* ---- a line, the end ---- */

void
control_pack_say(struct buf *b, bool bad, const char *text)
{
	pack_u8(b, CONTROL_VERSION);
	pack_u8(b, bad);
	pack_str(b, text);
}

bool
control_unpack_say(struct span payload, bool *bad, char **text)
{
	struct unpack u = open_payload(payload);

	*bad = unpack_u8(&u) != 0;
	*text = unpack_str(&u);
	if (unpack_ok(&u))
		return true;
	free(*text);
	return false;
}

void
control_pack_end(struct buf *b, int status)
{
	pack_u8(b, CONTROL_VERSION);
	pack_u8(b, (uint8_t)status);
}

bool
control_unpack_end(struct span payload, int *status)
{
	struct unpack u = open_payload(payload);

	*status = unpack_u8(&u);
	return unpack_ok(&u);
}

/* ---- the daemon and its accounts ---- */

void
control_pack_daemon(struct buf *b, const struct control_daemon *d)
{
	pack_u8(b, CONTROL_VERSION);
	pack_u32(b, (uint32_t)d->pid);
	pack_str(b, d->version);
	pack_u64(b, (uint64_t)d->started);
	pack_u64(b, (uint64_t)d->reloaded);
	pack_u32(b, d->engine_restarts);
	pack_u32(b, d->deliverer_restarts);
	pack_u8(b, d->stopping);
}

bool
control_unpack_daemon(struct span payload, struct control_daemon *out)
{
	struct unpack u = open_payload(payload);

	out->pid = (pid_t)unpack_u32(&u);
	out->version = unpack_str(&u);
	out->started = (int64_t)unpack_u64(&u);
	out->reloaded = (int64_t)unpack_u64(&u);
	out->engine_restarts = unpack_u32(&u);
	out->deliverer_restarts = unpack_u32(&u);
	out->stopping = unpack_u8(&u) != 0;
	if (unpack_ok(&u))
		return true;
	control_free_daemon(out);
	return false;
}

void
control_free_daemon(struct control_daemon *d)
{
	free(d->version);
	*d = (struct control_daemon){ 0 };
}

void
control_pack_account(struct buf *b, const struct control_account *a)
{
	pack_u8(b, CONTROL_VERSION);
	pack_str(b, a->name);
	pack_u8(b, a->paused);
	pack_u8(b, a->no_secret);
	wire_pack_status(b, &a->status);
}

bool
control_unpack_account(struct span payload, struct control_account *out)
{
	struct unpack u = open_payload(payload);

	out->name = unpack_str(&u);
	out->paused = unpack_u8(&u) != 0;
	out->no_secret = unpack_u8(&u) != 0;
	wire_unpack_status(&u, &out->status);
	if (unpack_ok(&u))
		return true;
	control_free_account(out);
	return false;
}

void
control_free_account(struct control_account *a)
{
	free(a->name);
	*a = (struct control_account){ 0 };
}

/* ---- a fetch ---- */

void
control_pack_progress(
    struct buf *b, const char *name, const struct fetch_progress *p)
{
	pack_u8(b, CONTROL_VERSION);
	pack_str(b, name);
	wire_pack_progress(b, p);
}

bool
control_unpack_progress(
    struct span payload, char **name, struct fetch_progress *out)
{
	struct unpack u = open_payload(payload);

	*name = unpack_str(&u);
	wire_unpack_progress(&u, out);
	if (unpack_ok(&u))
		return true;
	control_free_progress(name, out);
	return false;
}

void
control_free_progress(char **name, struct fetch_progress *p)
{
	free(*name);
	free((char *)(uintptr_t)p->doing);
	*name = NULL;
	*p = (struct fetch_progress){ 0 };
}

void
control_pack_result(
    struct buf *b, const char *name, const struct fetch_result *r)
{
	pack_u8(b, CONTROL_VERSION);
	pack_str(b, name);
	wire_pack_result(b, r);
}

bool
control_unpack_result(
    struct span payload, char **name, struct fetch_result *out)
{
	struct unpack u = open_payload(payload);

	*name = unpack_str(&u);
	wire_unpack_result(&u, out);
	if (unpack_ok(&u))
		return true;
	control_free_result(name, out);
	return false;
}

void
control_free_result(char **name, struct fetch_result *r)
{
	control_free_progress(name, &r->progress);
	*r = (struct fetch_result){ 0 };
}
