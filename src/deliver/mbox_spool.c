/* SPDX-License-Identifier: ISC */
#include "deliver/mbox_spool.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/crash.h"
#include "sys/log.h"

static int
fail(const struct maildir *spool, const char *name, const char *what,
    struct err *e)
{
	return err_set(e, ERR_DELIVER, 0, "%s/tmp/%s: %s", maildir_path(spool),
	    name, what);
}

int
mbox_spool_check(const struct maildir *spool, const char *name, uint64_t octets,
    struct err *e)
{
	int fd = maildir_read(spool, name, e);
	char from[5], end[2];
	bool good;

	if (fd < 0)
		return -1;
	good = octets >= sizeof(from) + sizeof(end) &&
	    pread(fd, from, sizeof(from), 0) == sizeof(from) &&
	    pread(fd, end, sizeof(end), (off_t)(octets - sizeof(end))) ==
		sizeof(end) &&
	    memcmp(from, "From ", sizeof(from)) == 0 &&
	    memcmp(end, "\n\n", sizeof(end)) == 0;
	close(fd);
	return good ? 0 : fail(spool, name, "is no message of an mbox", e);
}

int
mbox_spool_append(struct mbox *m, const struct maildir *spool, const char *name,
    uint64_t octets, struct err *e)
{
	int fd = maildir_read(spool, name, e), r;

	if (fd < 0)
		return -1;
	r = mbox_append(m, fd, octets, e);
	close(fd);
	return r;
}

/* ---- what a crash left ---- */

struct row {
	const struct ledger_entry *entry;
	int fd;
	uint64_t octets;
};

static void
warn_of_repeat(const char *path)
{
	log_warning("deliver",
	    "%s: somebody has changed it since a run was interrupted: a "
	    "message of then is appended, and may be there twice",
	    path);
}

/* Nothing of it is there, but perhaps a part of the empty line before it. */
static bool
is_untouched(const struct mbox *m, uint64_t offset, uint64_t same)
{
	return same == 0 && (offset == mbox_next(m) || offset == mbox_size(m));
}

static int
roll_row(struct mbox *m, const char *path, const struct row *row, struct err *e)
{
	uint64_t offset = row->entry->offset, same = 0;

	if (!row->entry->has_offset) {
		warn_of_repeat(path);
		return mbox_append(m, row->fd, row->octets, e);
	}
	if (mbox_compare(m, offset, row->fd, row->octets, &same, e) < 0)
		return -1;
	if (same == row->octets)
		return 0;
	if (is_untouched(m, offset, same))
		return mbox_append(m, row->fd, row->octets, e);
	if (offset + same != mbox_size(m))
		warn_of_repeat(path);
	else if (mbox_truncate(m, offset, e) < 0)
		return -1;
	return mbox_append(m, row->fd, row->octets, e);
}

static int
roll_file(struct mbox *m, const char *path, const struct maildir *spool,
    const struct ledger_entry *entry, struct err *e)
{
	struct row row = { .entry = entry };
	struct stat st;
	int r = -1;

	row.fd = maildir_read(spool, entry->file, e);
	if (row.fd < 0)
		return e->sys == ENOENT ? 0 : -1;
	if (fstat(row.fd, &st) < 0) {
		fail(spool, entry->file, strerror(errno), e);
	} else {
		row.octets = (uint64_t)st.st_size;
		r = roll_row(m, path, &row, e);
	}
	close(row.fd);
	crash_point("deliver:rolled");
	return r;
}

/* How many are in the spool, or -1. */
static int
look(const struct maildir *spool, const struct ledger_entry *rows, size_t n,
    struct err *e)
{
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		int has;

		if (strchr(rows[i].file, '/') != NULL)
			return fail(spool, rows[i].file, "no name of ours", e);
		has = maildir_has(spool, rows[i].file, e);
		if (has < 0)
			return -1;
		found |= has;
	}
	return found;
}

static int
roll_all(struct mbox *m, const struct maildir *spool, const char *path,
    const struct ledger_entry *rows, size_t n, bool *broken, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = roll_file(m, path, spool, &rows[i], e);
	if (mbox_is_torn(m) || (r == 0 && mbox_sync(m, e) < 0)) {
		*broken = true;
		return -1;
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = maildir_discard(spool, rows[i].file, e);
	return r;
}

int
mbox_spool_roll(const struct maildir *spool, const char *path,
    const struct ledger_entry *rows, size_t n, bool *broken, struct err *e)
{
	int r = look(spool, rows, n, e);
	struct mbox *m;
	bool busy;

	*broken = false;
	if (r <= 0)
		return r;
	m = mbox_open(path, &busy, e);
	if (m == NULL)
		return -1;
	r = roll_all(m, spool, path, rows, n, broken, e);
	mbox_close(&m);
	return r;
}
