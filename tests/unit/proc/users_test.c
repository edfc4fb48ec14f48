/* SPDX-License-Identifier: ISC */
#include "proc/users.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf_account.h"
#include "conf/conf_list.h"
#include "io/ipc.h"
#include "proc/reader.h"
#include "proc/reader_main.h"
#include "proc/secrets.h"
#include "proc/spawn.h"
#include "proc/wire.h"
#include "util/mem.h"

/*
 * The users of this test are its own: the C library is asked here. As root,
 * they are other users; else all are who runs the tests. A reader is this
 * program again; that of mallory does as he likes.
 */

static char top[64];

static bool
is_root(void)
{
	return geteuid() == 0;
}

static struct passwd *
user_of(const char *name, unsigned int number)
{
	static char home[100], shell[] = "/bin/sh", none[] = "";
	static char copy[32];
	static struct passwd pw;

	snprintf(home, sizeof(home), "%s/%s", top, name);
	snprintf(copy, sizeof(copy), "%s", name);
	pw = (struct passwd){ .pw_name = copy,
		.pw_passwd = none,
		.pw_gecos = none,
		.pw_uid = is_root() ? 4000 + number : geteuid(),
		.pw_gid = is_root() ? 4000 + number : getegid(),
		.pw_dir = home,
		.pw_shell = shell };
	if (strcmp(name, "carol") == 0 && is_root())
		pw.pw_gid = 4777;
	if (strcmp(name, "root") == 0)
		pw.pw_uid = 0;
	return &pw;
}

static const char *const names[] = { "alice", "bob", "carol", "mallory",
	"root" };

#define N_NAMES (sizeof(names) / sizeof(*names))

struct passwd *
getpwnam(const char *name)
{
	for (unsigned int i = 0; i < N_NAMES; i++)
		if (strcmp(name, names[i]) == 0)
			return user_of(name, i);
	errno = 0;
	return NULL;
}

static unsigned int listed;

void
setpwent(void)
{
	listed = 0;
}

struct passwd *
getpwent(void)
{
	if (listed == N_NAMES)
		return NULL;
	listed++;
	return user_of(names[listed - 1], listed - 1);
}

void
endpwent(void)
{
}

struct group *
getgrnam(const char *name)
{
	static char staff[] = "staff", bob[] = "bob", root[] = "root";
	static char *members[] = { bob, root, NULL };
	static struct group g = {
		.gr_name = staff, .gr_gid = 4777, .gr_mem = members
	};

	return strcmp(name, staff) == 0 ? &g : NULL;
}

int
getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
	(void)user;
	groups[0] = group;
	return *n = 1;
}

/* ---- homes ---- */

static const char *
home_of(const char *name, const char *path)
{
	static char full[300];

	snprintf(full, sizeof(full), "%s/%s%s%s", top, name,
	    path[0] == '\0' ? "" : "/", path);
	return full;
}

static void
own(const char *name, const char *path)
{
	const struct passwd *pw = getpwnam(name);

	if (is_root())
		assert_int_equal(
		    lchown(home_of(name, path), pw->pw_uid, pw->pw_gid), 0);
}

static void
put(const char *name, const char *path, const char *text)
{
	int fd = open(home_of(name, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	own(name, path);
}

#define MAIN ".config/mailhaul/main.conf"
#define BOX "host = h user = u maildir = \"~/Maildir\""

static int
set_up(void **state)
{
	static const char *const dirs[] = { "", ".config", ".config/mailhaul" };

	(void)state;
	snprintf(top, sizeof(top), "/tmp/mailhaul-users-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755), 0);
	for (size_t i = 0; i < N_NAMES; i++) {
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(
			    mkdir(home_of(names[i], dirs[k]), 0700), 0);
			own(names[i], dirs[k]);
		}
	}
	return 0;
}

static int
drop(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- loading ---- */

struct load {
	struct loop *loop;
	struct users_found found; /* taken */
	char errors[4000];
	char failed[200];
	struct users *users;
	size_t left;
	bool told, impatient; /* the first that is known is enough */
};

static void
join(char *to, size_t size, const struct conf_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strlen(to);

		snprintf(to + n, size - n, "%s\n", list->v[i]);
	}
}

static void
on_found(void *arg, struct users_found *found)
{
	struct load *l = arg;
	size_t n = l->found.n + found->n;

	assert_true(!l->told || l->left > 0);
	l->told = true;
	l->left = found->left;
	join(l->errors, sizeof(l->errors), &found->errors);
	join(l->failed, sizeof(l->failed), &found->failed);
	l->found.accounts =
	    mem_grow(l->found.accounts, n + 1, sizeof(*found->accounts));
	for (size_t i = 0; i < found->n; i++)
		l->found.accounts[l->found.n++] = found->accounts[i];
	free(found->accounts);
	found->accounts = NULL;
	found->n = 0;
	if (l->left == 0)
		l->users = NULL;
	if (l->left == 0 || l->impatient)
		loop_stop(l->loop);
}

static void
begin(struct load *l, struct conf *conf, const char *first, const char *second)
{
	l->loop = loop_new();
	conf_list_add(&conf->users, first);
	if (second != NULL)
		conf_list_add(&conf->users, second);
	l->users = users_load(l->loop, conf, on_found, l);
	assert_non_null(l->users);
	conf_list_free(&conf->users);
	loop_run(l->loop);
}

/* Of conf, whose users are these, and which is not needed any more. */
static void
load(struct load *l, struct conf *conf, const char *first, const char *second)
{
	*l = (struct load){ 0 };
	begin(l, conf, first, second);
	loop_free(&l->loop);
}

static void
done(struct load *l)
{
	for (size_t i = 0; i < l->found.n; i++)
		conf_account_deinit(&l->found.accounts[i]);
	free(l->found.accounts);
}

static const struct conf usual = { .user_accounts = 10, .user_connections = 8 };

static void
reads_the_accounts_of_a_user(void **state)
{
	struct conf conf = usual;
	struct conf_account *a;
	struct load l;

	(void)state;
	put("alice", MAIN,
	    "account work { " BOX " }\naccount old { protocol = pop3 " BOX
	    " tls-ca-file = \"~/ca\" }");
	put("alice", "ca", "-----BEGIN CERTIFICATE-----\nx\n");
	load(&l, &conf, "alice", NULL);
	assert_string_equal(l.errors, "");
	assert_string_equal(l.failed, "");
	assert_int_equal(l.found.n, 2);
	a = l.found.accounts;
	assert_string_equal(a[0].name, "alice/work");
	assert_string_equal(a[0].owner, "alice");
	assert_string_equal(a[0].run_as, "alice");
	assert_string_equal(a[0].maildir, home_of("alice", "Maildir"));
	assert_null(a[0].tls_ca_pem);
	assert_string_equal(a[1].name, "alice/old");
	assert_non_null(strstr(a[1].tls_ca_pem, "BEGIN CERTIFICATE"));
	done(&l);
}

static void
reads_what_an_account_names_for_tls(void **state)
{
	struct conf conf = usual;
	struct conf_account *a;
	struct load l;

	(void)state;
	put("alice", MAIN,
	    "account work { " BOX " tls-ca-dir = \"~/.config\" "
	    "tls-crl-file = \"~/crl\" tls-cert = \"~/both\" "
	    "tls-key = \"~/both\" }");
	put("alice", ".config/a.pem", "-----BEGIN CERTIFICATE-----\nx\n");
	put("alice", "crl", "a list");
	put("alice", "both", "a certificate and its key");
	load(&l, &conf, "alice", NULL);
	assert_string_equal(l.errors, "");
	assert_int_equal(l.found.n, 1);
	a = l.found.accounts;
	assert_non_null(strstr(a->tls_ca_pem, "BEGIN CERTIFICATE"));
	assert_string_equal(a->tls_crl_pem, "a list");
	assert_string_equal(a->tls_cert_pem, "a certificate and its key");
	assert_true(span_eq(
	    secret_span(a->tls_key_pem), SPAN("a certificate and its key")));
	done(&l);
	/* as for ourselves, it says what is wrong */
	put("alice", "crl", "");
	load(&l, &conf, "alice", NULL);
	assert_non_null(strstr(l.errors, "tls-crl-file"));
	assert_non_null(strstr(l.errors, "crl is empty"));
	assert_int_equal(l.found.n, 0);
	done(&l);
}

static void
finds_users_by_their_group(void **state)
{
	struct conf conf = usual;
	struct load l;

	(void)state;
	put("bob", MAIN, "account b { " BOX " }");
	put("carol", MAIN, "account c { " BOX " }");
	put("root", MAIN, "account r { " BOX " }");
	load(&l, &conf, "bob", "@staff");
	assert_string_equal(l.errors, "");
	assert_int_equal(l.found.n, is_root() ? 2 : 1);
	assert_string_equal(l.found.accounts[0].name, "bob/b");
	if (is_root()) /* by his primary group */
		assert_string_equal(l.found.accounts[1].name, "carol/c");
	done(&l);
	load(&l, &conf, "@nobody", "nobody");
	assert_string_equal(l.errors,
	    "users: there is no group nobody\n"
	    "user nobody: there is no user \"nobody\"\n");
	assert_string_equal(l.failed, "");
	done(&l);
}

static void
keeps_the_trouble_of_one_from_the_other(void **state)
{
	struct conf conf = usual;
	struct load l;

	(void)state;
	put("alice", MAIN, "account work { " BOX " hots = x }");
	put("bob", MAIN, "account b { " BOX " }");
	load(&l, &conf, "alice", "bob");
	assert_non_null(strstr(l.errors, "user alice: /"));
	assert_non_null(strstr(l.errors, "main.conf:1: "));
	assert_non_null(strstr(l.errors, "hots"));
	assert_string_equal(l.failed, "alice\n");
	assert_int_equal(l.found.n, 1);
	assert_string_equal(l.found.accounts[0].name, "bob/b");
	done(&l);
}

/* Without a file there is no account, and nothing wrong. */
static void
leaves_users_without_files_alone(void **state)
{
	struct conf conf = usual;
	struct load l;

	(void)state;
	assert_int_equal(rmdir(home_of("bob", ".config/mailhaul")), 0);
	load(&l, &conf, "alice", "bob");
	assert_string_equal(l.errors, "");
	assert_string_equal(l.failed, "");
	assert_int_equal(l.found.n, 0);
	done(&l);
}

static void
allows_so_many_accounts_and_connections(void **state)
{
	struct conf conf = { .user_accounts = 3, .user_connections = 8 };
	struct load l;

	(void)state;
	put("alice", MAIN,
	    "account a { " BOX " }\naccount b { " BOX " }\n"
	    "account c { " BOX " max-connections = 2 }\n"
	    "account d { " BOX " }");
	load(&l, &conf, "alice", NULL);
	assert_string_equal(l.errors,
	    "user alice: only the first 3 of his 4 accounts are fetched "
	    "(user-accounts)\n");
	assert_int_equal(l.found.n, 3);
	assert_int_equal(l.found.accounts[0].max_connections, 5);
	assert_int_equal(l.found.accounts[1].max_connections, 2);
	assert_int_equal(l.found.accounts[2].max_connections, 1);
	done(&l);
	conf = (struct conf){ .user_accounts = 10, .user_connections = 2 };
	load(&l, &conf, "alice", NULL);
	assert_non_null(strstr(l.errors, "first 2 of his 4"));
	assert_int_equal(l.found.n, 2);
	assert_int_equal(l.found.accounts[0].max_connections, 1);
	assert_int_equal(l.found.accounts[1].max_connections, 1);
	done(&l);
}

static void
refuses_commands_unless_they_are_allowed(void **state)
{
	struct conf conf = usual;
	struct load l;

	(void)state;
	put("alice", MAIN,
	    "account a { " BOX " password-command = {\"x\"} }\n"
	    "account b { " BOX " password-file = \"~/p\" }\n"
	    "account c { " BOX " token-command = x }\n"
	    "account d { " BOX " tunnel = x }\n");
	load(&l, &conf, "alice", NULL);
	assert_non_null(strstr(l.errors, "account a: password-command is not"));
	assert_non_null(strstr(l.errors, "account c: token-command is not"));
	assert_non_null(strstr(l.errors, "account d: tunnel is not"));
	assert_int_equal(l.found.n, 1);
	assert_string_equal(l.found.accounts[0].name, "alice/b");
	done(&l);
	conf.user_commands = true;
	load(&l, &conf, "alice", NULL);
	assert_string_equal(l.errors, "");
	assert_int_equal(l.found.n, 4);
	done(&l);
}

/* ---- who wants more than he may have ---- */

/* What only root can read, and what never ends. */
static void
opens_nothing_that_the_user_could_not(void **state)
{
	struct conf conf = usual;
	struct load l;

	(void)state;
	if (!is_root())
		skip();
	put("root", "secret", "account a { " BOX " }");
	assert_int_equal(chmod(home_of("root", ""), 0755), 0);
	assert_int_equal(symlink("../../../root/secret",
			     home_of("alice", ".config/mailhaul/x.conf")),
	    0);
	put("bob", MAIN, "account b { " BOX " tls-ca-file = \"~/ca\" }");
	assert_int_equal(symlink("../root/secret", home_of("bob", "ca")), 0);
	load(&l, &conf, "alice", "bob");
	assert_int_equal(l.found.n, 0);
	assert_non_null(strstr(l.errors, "user alice: "));
	assert_non_null(strstr(l.errors, "Permission denied"));
	assert_non_null(strstr(l.errors, "user bob: "));
	assert_non_null(strstr(l.failed, "alice\n"));
	assert_non_null(strstr(l.failed, "bob\n"));
	assert_null(strstr(l.errors, "Maildir"));
	done(&l);
}

static void
is_not_held_up_by_strange_files(void **state)
{
	struct conf conf = usual;
	struct load l;
	int fd;

	(void)state;
	assert_int_equal(
	    mkfifo(home_of("alice", ".config/mailhaul/x.conf"), 0600), 0);
	own("alice", ".config/mailhaul/x.conf");
	put("bob", MAIN, "");
	fd = open(home_of("bob", MAIN), O_WRONLY);
	assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
	close(fd);
	load(&l, &conf, "alice", "bob");
	assert_non_null(strstr(l.failed, "alice\n"));
	assert_non_null(strstr(l.failed, "bob\n"));
	done(&l);
	put("carol", MAIN, "include(\"main.conf\")\n");
	put("alice", ".config/mailhaul/z.conf", "");
	assert_int_equal(
	    remove(home_of("alice", ".config/mailhaul/x.conf")), 0);
	assert_int_equal(
	    mkdir(home_of("alice", ".config/mailhaul/d.conf"), 0700), 0);
	load(&l, &conf, "carol", "alice");
	assert_non_null(strstr(l.failed, "carol\n"));
	done(&l);
}

/* ---- a reader that is somebody's ---- */

static void
send_piece(uint8_t type, const void *p, size_t n)
{
	static char packet[IPC_PAYLOAD_MAX + 1];

	packet[0] = (char)type;
	memcpy(packet + 1, p, n);
	if (send(WIRE_FD, packet, n + 1, MSG_NOSIGNAL) < 0)
		_exit(0);
}

/* The trick is what the first octet of his file says. */
static int
play_mallory(void)
{
	static const char zeros[IPC_PAYLOAD_MAX];
	char request[1000], path[1100], trick = '?';
	ssize_t n = 0;
	int fd;

	fcntl(WIRE_FD, F_SETFL, 0);
	if ((n = recv(WIRE_FD, request, sizeof(request) - 1, 0)) < 6)
		return 9;
	request[n] = '\0';
	snprintf(path, sizeof(path), "%s/trick", request + 6);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &trick, 1) != 1)
		return 9;
	while (trick == 'f')
		send_piece(WIRE_PIECE, zeros, sizeof(zeros));
	if (trick == 'g') {
		send_piece(WIRE_PIECE, "\xff\xff\xff\xff", 4);
		send_piece(WIRE_WHOLE, "", 0);
	}
	while (trick == 'h')
		pause();
	if (trick == 'w')
		send_piece(WIRE_KNOWN, "1234", 4);
	if (trick == 'z') {
		for (int i = 0; i < 20; i++)
			send_piece(WIRE_PIECE, zeros, sizeof(zeros));
		send_piece(WIRE_WHOLE, "", 0);
		send_piece(WIRE_PIECE, zeros, sizeof(zeros));
	}
	return trick == 'q' ? 0 : 3;
}

static void
believes_no_reader(void **state)
{
	static const struct {
		const char *trick, *text;
	} t[] = {
		{ "f", "too long" },
		{ "g", "makes no sense" },
		{ "w", "" },
		{ "z", "" },
		{ "q", "nothing of his was read" },
		{ "x", "exited with status 3" },
	};

	(void)state;
	put("alice", MAIN, "account work { " BOX " }");
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf conf = usual;
		struct load l;

		put("mallory", "trick", t[i].trick);
		load(&l, &conf, "mallory", "alice");
		assert_non_null(strstr(l.errors, "user mallory: "));
		assert_non_null(strstr(l.errors, t[i].text));
		assert_null(strstr(l.errors, "user alice"));
		assert_string_equal(l.failed, "mallory\n");
		assert_int_equal(l.found.n, 1);
		done(&l);
	}
}

/* Who is left. */
static void
kill_reader(void)
{
	char path[64];
	FILE *f;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

/* They are told first, and then he when he is done. */
static void
does_not_wait_for_a_slow_one_with_the_others(void **state)
{
	struct conf conf = usual;
	struct load l = { .impatient = true };

	(void)state;
	put("alice", MAIN, "account work { " BOX " }");
	put("mallory", "trick", "h");
	begin(&l, &conf, "mallory", "alice");
	assert_int_equal(l.left, 1);
	assert_int_equal(l.found.n, 1);
	assert_string_equal(l.found.accounts[0].name, "alice/work");
	assert_string_equal(l.errors, "");
	assert_string_equal(l.failed, "");
	kill_reader();
	loop_run(l.loop);
	assert_int_equal(l.left, 0);
	assert_int_equal(l.found.n, 1);
	assert_string_equal(l.failed, "mallory\n");
	loop_free(&l.loop);
	done(&l);
}

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

/* Before the first is asked, and while he answers. */
static void
can_be_given_up(void **state)
{
	struct conf conf = usual;
	struct loop *loop = loop_new();
	struct loop_timer *stop;
	struct users *u;
	struct load l = { .loop = loop };

	(void)state;
	put("alice", MAIN, "account work { " BOX " }");
	conf_list_add(&conf.users, "alice");
	u = users_load(loop, &conf, on_found, &l);
	users_cancel(&u);
	assert_null(u);
	u = users_load(loop, &conf, on_found, &l);
	conf_list_free(&conf.users);
	stop = loop_timer_new(loop, on_stop, loop);
	loop_timer_arm(stop, 1);
	loop_run(loop);
	loop_timer_free(&stop);
	users_cancel(&u);
	assert_false(l.told);
	loop_free(&loop);
}

/* ---- secrets ---- */

struct asked {
	struct loop *loop;
	char secret[100];
	struct err e;
};

static void
on_secret(void *arg, struct secret *secret, const struct err *e)
{
	struct asked *a = arg;

	a->secret[0] = '\0';
	a->e = (struct err){ 0 };
	if (secret != NULL)
		snprintf(a->secret, sizeof(a->secret), "%.*s",
		    (int)secret_span(secret).n, secret_span(secret).p);
	else
		a->e = *e;
	secret_free(&secret);
	loop_stop(a->loop);
}

static void
ask(struct asked *a, struct conf_account *account)
{
	account->owner = (char[]){ "alice" };
	a->loop = loop_new();
	assert_non_null(secrets_get(a->loop,
	    &(struct secrets_params){ .account = account }, on_secret, a));
	loop_run(a->loop);
	loop_free(&a->loop);
}

static void
reads_a_secret_as_the_user(void **state)
{
	struct conf_account account = { .name = (char[]){ "alice/a" } };
	struct asked a;

	(void)state;
	put("alice", "p", "geheim\n");
	account.secret.file = mem_strdup(home_of("alice", "p"));
	ask(&a, &account);
	assert_string_equal(a.secret, "geheim");
	assert_int_equal(remove(account.secret.file), 0);
	ask(&a, &account);
	assert_non_null(strstr(a.e.text, "No such file"));
	if (is_root()) {
		put("root", "p", "of root\n");
		assert_int_equal(chmod(home_of("root", ""), 0755), 0);
		assert_int_equal(
		    symlink("../root/p", home_of("alice", "p")), 0);
		ask(&a, &account);
		assert_string_equal(a.secret, "");
		assert_non_null(strstr(a.e.text, "Permission denied"));
	}
	free(account.secret.file);
}

static void
runs_a_command_as_the_user(void **state)
{
	struct conf_account account = { .name = (char[]){ "alice/a" } };
	char want[100];
	struct asked a;

	(void)state;
	setenv("SSH_AUTH_SOCK", "/of/root", 1);
	conf_list_add(&account.secret.command, "/bin/sh");
	conf_list_add(&account.secret.command, "-c");
	conf_list_add(&account.secret.command,
	    "echo \"$(id -u) $HOME $USER $SSH_AUTH_SOCK.\"");
	ask(&a, &account);
	snprintf(want, sizeof(want), "%u %s alice .",
	    is_root() ? 4000 : geteuid(), home_of("alice", ""));
	assert_string_equal(a.secret, want);
	conf_list_free(&account.secret.command);
	unsetenv("SSH_AUTH_SOCK");
}

static void
has_no_credential_of_the_service_for_a_user(void **state)
{
	struct conf_account account = { .name = (char[]){ "alice/a" },
		.secret.credential = (char[]){ "p" } };
	struct asked a;

	(void)state;
	put("root", "p", "of root\n");
	setenv("CREDENTIALS_DIRECTORY", home_of("root", ""), 1);
	ask(&a, &account);
	assert_string_equal(a.secret, "");
	assert_non_null(strstr(a.e.text, "administrator"));
	unsetenv("CREDENTIALS_DIRECTORY");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_accounts_of_a_user),
		TEST(reads_what_an_account_names_for_tls),
		TEST(finds_users_by_their_group),
		TEST(keeps_the_trouble_of_one_from_the_other),
		TEST(leaves_users_without_files_alone),
		TEST(allows_so_many_accounts_and_connections),
		TEST(refuses_commands_unless_they_are_allowed),
		TEST(opens_nothing_that_the_user_could_not),
		TEST(is_not_held_up_by_strange_files),
		TEST(believes_no_reader),
		TEST(does_not_wait_for_a_slow_one_with_the_others),
		TEST(can_be_given_up),
		TEST(reads_a_secret_as_the_user),
		TEST(runs_a_command_as_the_user),
		TEST(has_no_credential_of_the_service_for_a_user),
	};

	if (strcmp(argv[0], SPAWN_READER) == 0)
		return argc > 1 && strcmp(argv[1], "mallory") == 0
		    ? play_mallory()
		    : reader_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
