/* SPDX-License-Identifier: ISC */
#include "sched/metrics.h"

#include "util/text.h"

#define LABEL_MAX 512
#define US_PER_S 1000000

struct family;

typedef int (*samples_fn)(
    struct buf *b, const struct family *f, const struct metrics *m);
typedef uint64_t (*value_fn)(
    const struct metrics *m, const struct metrics_account *a);

struct family {
	const char *name;
	const char *suffix; /* of its samples; part of the name in one format */
	const char *type;
	const char *unit; /* NULL: none */
	const char *help;
	samples_fn samples;
	value_fn value; /* of an account, for put_accounts() */
};

/* ---- pieces ---- */

/* As \x.. and not as it is, if it is not text. */
static int
put_label(struct buf *b, const char *name, const char *value)
{
	char shown[LABEL_MAX];
	int bad = buf_printf(b, "%s=\"", name);

	text_printable(shown, sizeof(shown), span_of(value));
	for (const char *p = shown; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			bad |= buf_addc(b, '\\');
		bad |= buf_addc(b, *p);
	}
	return bad | buf_addc(b, '"');
}

static int
put_value(struct buf *b, uint64_t v)
{
	return buf_printf(b, " %llu\n", (unsigned long long)v);
}

/* "0.005", "1.0": the form that OpenMetrics has for bounds, too. */
static int
put_seconds(struct buf *b, uint64_t us)
{
	uint64_t rest = us % US_PER_S;
	int digits = 6;

	while (digits > 1 && rest % 10 == 0) {
		rest /= 10;
		digits--;
	}
	return buf_printf(b, "%llu.%0*llu", (unsigned long long)(us / US_PER_S),
	    digits, (unsigned long long)rest);
}

/* "name{account="work"", without the end. */
static int
put_begin(
    struct buf *b, const struct family *f, const struct metrics_account *a)
{
	int bad = buf_printf(b, "%s%s{", f->name, f->suffix);

	return bad | put_label(b, "account", a->account);
}

/* ---- samples of an account ---- */

static uint64_t
is_up(const struct metrics *m, const struct metrics_account *a)
{
	(void)m;
	return a->status.last_success != 0 && a->status.failing_since == 0;
}

/* Who never had one is not forgotten: the daemon's start counts. */
static uint64_t
since_success(const struct metrics *m, const struct metrics_account *a)
{
	int64_t last = a->status.last_success;

	if (last == 0)
		last = m->started;
	return m->now > last ? (uint64_t)(m->now - last) : 0;
}

static uint64_t
delivered(const struct metrics *m, const struct metrics_account *a)
{
	(void)m;
	return a->status.delivered;
}

static uint64_t
delivered_octets(const struct metrics *m, const struct metrics_account *a)
{
	(void)m;
	return a->status.octets;
}

static uint64_t
held(const struct metrics *m, const struct metrics_account *a)
{
	(void)m;
	return a->status.held;
}

static int
put_accounts(struct buf *b, const struct family *f, const struct metrics *m)
{
	int bad = 0;

	for (size_t i = 0; i < m->n; i++) {
		bad |= put_begin(b, f, &m->accounts[i]);
		bad |= buf_addc(b, '}');
		bad |= put_value(b, f->value(m, &m->accounts[i]));
	}
	return bad;
}

static int
put_labelled(struct buf *b, const struct family *f,
    const struct metrics_account *a, const char *label, const char *word,
    uint64_t value)
{
	int bad = put_begin(b, f, a);

	bad |= buf_addc(b, ',');
	bad |= put_label(b, label, word);
	bad |= buf_addc(b, '}');
	return bad | put_value(b, value);
}

/* All kinds, or the first failure would be no increase. */
static int
put_failures(struct buf *b, const struct family *f, const struct metrics *m)
{
	int bad = 0;

	for (size_t i = 0; i < m->n; i++)
		for (int kind = ERR_NONE + 1; kind < ERR_KINDS; kind++)
			if (kind != ERR_CANCEL)
				bad |= put_labelled(b, f, &m->accounts[i],
				    "class", err_kind_name((enum err_kind)kind),
				    m->accounts[i].status.failures[kind]);
	return bad;
}

static int
put_sessions(struct buf *b, const struct family *f, const struct metrics *m)
{
	int bad = 0;

	for (size_t i = 0; i < m->n; i++)
		bad |= put_labelled(b, f, &m->accounts[i], "state",
		    status_state_name(m->accounts[i].status.state),
		    m->accounts[i].status.sessions);
	return bad;
}

static int
put_mailboxes(struct buf *b, const struct family *f, const struct metrics *m)
{
	int bad = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct metrics_account *a = &m->accounts[i];

		bad |=
		    put_labelled(b, f, a, "noticed", "push", a->status.watched);
		bad |=
		    put_labelled(b, f, a, "noticed", "poll", a->status.polled);
	}
	return bad;
}

/* ---- samples of the whole ---- */

static int
put_version(struct buf *b, const struct family *f, const struct metrics *m)
{
	int bad = buf_printf(b, "%s%s{", f->name, f->suffix);

	bad |= put_label(b, "version", m->version);
	bad |= buf_addc(b, '}');
	return bad | put_value(b, 1);
}

static int
put_started(struct buf *b, const struct family *f, const struct metrics *m)
{
	return buf_printf(b, "%s", f->name) |
	    put_value(b, m->started > 0 ? (uint64_t)m->started : 0);
}

static int
put_restarts(struct buf *b, const struct family *f, const struct metrics *m)
{
	return buf_printf(b, "%s%s", f->name, f->suffix) |
	    put_value(b, m->restarts);
}

static int
put_commits(struct buf *b, const struct family *f, const struct metrics *m)
{
	const struct histogram *h = &m->commit;
	uint64_t sum = 0;
	int bad = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		sum += h->bucket[i];
		bad |= buf_printf(b, "%s_bucket{le=\"", f->name);
		bad |= put_seconds(b, histogram_bound_us(i));
		bad |= buf_printf(b, "\"}");
		bad |= put_value(b, sum);
	}
	bad |= buf_printf(b, "%s_bucket{le=\"+Inf\"}", f->name);
	bad |= put_value(b, h->count);
	bad |= buf_printf(b, "%s_count", f->name);
	bad |= put_value(b, h->count);
	bad |= buf_printf(b, "%s_sum ", f->name);
	bad |= put_seconds(b, h->sum_us);
	return bad | buf_addc(b, '\n');
}

/* ---- the text ---- */

/* clang-format off */
static const struct family families[] = {
	{ "mailhaul_build", "_info", "info", NULL,
	  "The version that runs.", put_version, NULL },
	{ "mailhaul_start_time_seconds", "", "gauge", "seconds",
	  "When the daemon was started, in Unix time.", put_started, NULL },
	{ "mailhaul_restarts", "_total", "counter", NULL,
	  "Processes of the daemon that died and were started anew.",
	  put_restarts, NULL },
	{ "mailhaul_commit_seconds", "", "histogram", "seconds",
	  "From the last octet of a message to its being safe on disk.",
	  put_commits, NULL },
	{ "mailhaul_up", "", "gauge", NULL,
	  "Whether the account works: 1, or 0 when it fails.",
	  put_accounts, is_up },
	{ "mailhaul_seconds_since_success", "", "gauge", NULL,
	  "Since all mail was last fetched, or else since the start.",
	  put_accounts, since_success },
	{ "mailhaul_delivered", "_total", "counter", NULL,
	  "Messages delivered.", put_accounts, delivered },
	{ "mailhaul_delivered_bytes", "_total", "counter", "bytes",
	  "Octets of the messages delivered.", put_accounts,
	  delivered_octets },
	{ "mailhaul_held", "", "gauge", NULL,
	  "Messages held on the server; see mailhaul held.", put_accounts,
	  held },
	{ "mailhaul_failures", "_total", "counter", NULL,
	  "Sessions and messages that failed, by class of error.",
	  put_failures, NULL },
	{ "mailhaul_sessions", "", "gauge", NULL,
	  "Connections that are logged in, by what the account does.",
	  put_sessions, NULL },
	{ "mailhaul_mailboxes", "", "gauge", NULL,
	  "Mailboxes, by how new mail in them is noticed.", put_mailboxes,
	  NULL },
};

/* clang-format on */

static int
put_open(struct buf *b, const struct family *f)
{
	int bad = buf_printf(b, "# TYPE %s %s\n", f->name, f->type);

	if (f->unit != NULL)
		bad |= buf_printf(b, "# UNIT %s %s\n", f->name, f->unit);
	return bad | buf_printf(b, "# HELP %s %s\n", f->name, f->help);
}

/* The older format names the samples and has no type for what is just said. */
static int
put_classic(struct buf *b, const struct family *f)
{
	bool info = f->samples == put_version;

	return buf_printf(b, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name,
	    f->suffix, f->help, f->name, f->suffix, info ? "gauge" : f->type);
}

bool
metrics_wants_open(struct span accept)
{
	return span_ihas(accept, SPAN("application/openmetrics-text"));
}

const char *
metrics_type(bool open)
{
	return open ? "application/openmetrics-text; version=1.0.0; "
		      "charset=utf-8"
		    : "text/plain; version=0.0.4; charset=utf-8";
}

int
metrics_write(struct buf *b, const struct metrics *m, bool open)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		bad |= open ? put_open(b, &families[i])
			    : put_classic(b, &families[i]);
		bad |= families[i].samples(b, &families[i], m);
	}
	if (open)
		bad |= buf_add(b, SPAN("# EOF\n"));
	return bad == 0 ? 0 : -1;
}
