/* SPDX-License-Identifier: ISC */
#include "deliver/mda.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deliver/expand.h"
#include "io/child.h"
#include "sys/log.h"
#include "util/mem.h"
#include "util/text.h"

#define STDERR_MAX 2048
#define LINES_MAX 10 /* of stderr, for the log */
#define ENV_PATH "/usr/local/bin:/usr/bin:/bin"

struct mda {
	const struct mda_program *program; /* not ours */
	char *account;
	mda_fn fn;
	void *arg;
	struct child *child;
	struct loop_timer *news; /* of a run that could not start */
	enum mda_verdict verdict;
	struct err e;
	bool stopped;
	bool busy; /* inside fn */
};

/* ---- arguments ---- */

static void
free_strings(char **v)
{
	size_t i;

	for (i = 0; v[i] != NULL; i++)
		free(v[i]);
	free(v);
}

/* All of them, or NULL and *e. */
static char **
make_argv(
    const struct mda_program *p, const struct mda_mail *mail, struct err *e)
{
	const struct expand_values values = { .account = mail->account,
		.mailbox = mail->mailbox,
		.user = mail->user,
		.sender = mail->sender,
		.recipient = mail->recipient,
		.uid = mail->uid };
	char **argv;
	size_t n = 0, i;

	while (p->argv[n] != NULL)
		n++;
	argv = mem_array(n + 1, sizeof(*argv));
	argv[0] = mem_strdup(p->argv[0]); /* nobody else names the program */
	for (i = 1; i < n; i++) {
		if (expand(&values, p->argv[i], &argv[i], e) == 0)
			continue;
		free_strings(argv);
		return NULL;
	}
	return argv;
}

/* ---- what he would see after a login ---- */

static const char *
directory(const struct mda_user *u)
{
	struct stat st;

	if (stat(u->home, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    faccessat(AT_FDCWD, u->home, X_OK, AT_EACCESS) < 0)
		return "/";
	return u->home;
}

static char *
cleaned(const char *name, const char *value)
{
	char clean[MDA_VALUE_MAX + 1];

	text_printable(clean, sizeof(clean), span_of(value));
	return mem_printf("%s=%s", name, clean);
}

static char **
make_env(const struct mda_user *u, const struct mda_mail *mail)
{
	char *const env[] = {
		mem_strdup("PATH=" ENV_PATH),
		mem_printf("HOME=%s", u->home),
		mem_printf("USER=%s", u->name),
		mem_printf("LOGNAME=%s", u->name),
		mem_printf("SHELL=%s", u->shell),
		cleaned("MAILHAUL_ACCOUNT", mail->account),
		cleaned("MAILHAUL_MAILBOX", mail->mailbox),
		cleaned("MAILHAUL_UID", mail->uid),
		cleaned("MAILHAUL_SENDER", mail->sender),
		cleaned("MAILHAUL_RECIPIENT", mail->recipient),
		cleaned("MAILHAUL_KEY", mail->key),
		NULL,
	};
	char **copy = mem_new(sizeof(env));

	memcpy(copy, env, sizeof(env));
	return copy;
}

/* ---- what it complained of ---- */

/* The last lines that are not empty, in their order. */
static size_t
last_lines(struct span text, struct span lines[LINES_MAX])
{
	struct span found[LINES_MAX];
	size_t n = 0, i, end = text.n;

	while (end > 0 && n < LINES_MAX) {
		size_t begin = end;
		struct span line;

		while (begin > 0 && text.p[begin - 1] != '\n')
			begin--;
		line = span_trim(span_make(text.p + begin, end - begin));
		if (line.n > 0)
			found[n++] = line;
		end = begin > 0 ? begin - 1 : 0;
	}
	for (i = 0; i < n; i++)
		lines[i] = found[n - 1 - i];
	return n;
}

static const char *
program_name(const struct mda *m)
{
	const char *path = m->program->argv[0], *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static void
log_lines(const struct mda *m, const struct span *lines, size_t n)
{
	const char *name = program_name(m);
	size_t i;

	for (i = 0; i < n; i++) {
		int width = (int)lines[i].n; /* at most STDERR_MAX */

		if (m->verdict == MDA_ACCEPTED)
			log_info(
			    m->account, "%s: %.*s", name, width, lines[i].p);
		else
			log_warning(
			    m->account, "%s: %.*s", name, width, lines[i].p);
	}
}

/* Puts lines behind the text of *e: the last, cut if need be, and those
 * before it which fit whole. */
static void
append_lines(struct err *e, const struct span *lines, size_t n)
{
	char shown[LINES_MAX][ERR_TEXT_MAX];
	size_t i, first, left = ERR_TEXT_MAX - 1 - strlen(e->text);

	for (i = 0; i < n; i++)
		text_printable(shown[i], sizeof(shown[i]), lines[i]);
	for (first = n; first > 0; first--) {
		size_t need = strlen(shown[first - 1]) + strlen("; ");

		if (need > left)
			break;
		left -= need;
	}
	if (first == n && n > 0)
		first--;
	for (i = first; i < n; i++)
		err_set(e, e->kind, 0, "%s%s%s", e->text,
		    i > first ? "; " : ": ", shown[i]);
}

/* ---- the end ---- */

static void
destroy(struct mda *m)
{
	child_free(&m->child);
	loop_timer_free(&m->news);
	free(m->account);
	free(m);
}

/* Ends the life of m. */
static void
report(struct mda *m)
{
	m->busy = true;
	m->fn(m->arg, m->verdict, m->verdict == MDA_ACCEPTED ? NULL : &m->e);
	destroy(m);
}

static void
on_news(void *arg)
{
	report(arg);
}

static enum mda_verdict
judge(const struct mda *m, const struct child_result *r)
{
	uint8_t v;

	/* an exit that we asked for says nothing, whatever its status */
	if (r->timed_out || !WIFEXITED(r->status))
		return MDA_LATER;
	v = m->program->exits[WEXITSTATUS(r->status)];
	assert(v <= MDA_HOLD);
	return (enum mda_verdict)v;
}

static void
put_words(struct mda *m, const struct child_result *r)
{
	char how[64];

	/* the name is the user's; what follows has room */
	if (m->stopped && r->timed_out)
		err_set(
		    &m->e, ERR_CANCEL, 0, "%.64s was stopped", program_name(m));
	else
		err_set(&m->e, ERR_MESSAGE, 0, "%.64s %s", program_name(m),
		    child_verdict(r, how, sizeof(how)));
}

static void
on_end(void *arg, const struct child_result *r, const struct err *e)
{
	struct span lines[LINES_MAX];
	struct mda *m = arg;
	size_t n;

	m->child = NULL;
	if (e != NULL) {
		m->verdict = MDA_BROKEN;
		m->e = *e;
	} else {
		m->verdict = judge(m, r);
		put_words(m, r);
		n = last_lines(r->err, lines);
		log_lines(m, lines, n);
		append_lines(&m->e, lines, n);
	}
	report(m);
}

/* ---- the start ---- */

static void
run(struct mda *m, struct loop *loop, char **argv, const struct mda_mail *mail)
{
	struct child_params params = { .argv = (const char *const *)argv,
		.stdin_fd = mail->fd,
		.err_max = STDERR_MAX,
		.timeout_ms = m->program->timeout_ms,
		.max_files = m->program->max_files };
	const struct mda_user *user = m->program->user;
	struct mda_user *own = NULL;
	char **env;

	if (user == NULL)
		user = own = mda_user_new();
	env = make_env(user, mail);
	params.env = (const char *const *)env;
	params.cwd = directory(user);
	m->child = child_start(loop, &params, on_end, m);
	free_strings(env);
	mda_user_free(&own);
}

/* Whoever read the file before, the program must get the whole of it. */
static int
rewind_mail(const struct mda_mail *mail, struct err *e)
{
	if (lseek(mail->fd, 0, SEEK_SET) == 0)
		return 0;
	return err_set(e, ERR_DELIVER, errno,
	    "cannot read a spooled message: %s", strerror(errno));
}

static void
start(struct mda *m, struct loop *loop, const struct mda_mail *mail)
{
	char **argv = make_argv(m->program, mail, &m->e);

	if (argv == NULL)
		m->verdict = MDA_HOLD;
	else if (rewind_mail(mail, &m->e) < 0)
		m->verdict = MDA_BROKEN;
	else
		run(m, loop, argv, mail);
	if (argv != NULL)
		free_strings(argv);
	if (m->child == NULL) {
		m->news = loop_timer_new(loop, on_news, m);
		loop_timer_arm(m->news, 0);
	}
}

struct mda *
mda_start(struct loop *loop, const struct mda_program *program,
    const struct mda_mail *mail, mda_fn fn, void *arg)
{
	struct mda *m = mem_new(sizeof(*m));

	m->program = program;
	m->account = mem_strdup(mail->account);
	m->fn = fn;
	m->arg = arg;
	start(m, loop, mail);
	return m;
}

void
mda_stop(struct mda *m)
{
	m->stopped = true;
	if (m->child != NULL)
		child_stop(m->child);
}

void
mda_free(struct mda **p)
{
	struct mda *m = *p;

	*p = NULL;
	if (m != NULL && !m->busy) /* report() frees it */
		destroy(m);
}
