/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_H
#define MAILHAUL_CONF_CONF_H

/*
 * The configuration as plain data. conf_load() reads a whole new one, so a
 * reload compares and swaps. No libconfuse type leaves conf/. The options
 * and their defaults are in mailhaul.conf(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/log.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/secret.h"

enum conf_protocol { CONF_IMAP, CONF_POP3 };

enum conf_tls { CONF_TLS_IMPLICIT, CONF_TLS_STARTTLS, CONF_TLS_NONE };

enum conf_auth {
	CONF_AUTH_AUTO,  /* the strongest that is offered and possible */
	CONF_AUTH_PLAIN, /* RFC 4616 */
	CONF_AUTH_LOGIN, /* IMAP's LOGIN, POP3's USER and PASS */
	CONF_AUTH_CRAM_MD5,
	CONF_AUTH_SCRAM_SHA_1,
	CONF_AUTH_SCRAM_SHA_1_PLUS,
	CONF_AUTH_SCRAM_SHA_256,
	CONF_AUTH_SCRAM_SHA_256_PLUS,
	CONF_AUTH_EXTERNAL, /* with tls-cert */
	CONF_AUTH_XOAUTH2,
	CONF_AUTH_OAUTHBEARER,
	CONF_AUTH_GSSAPI,
	CONF_AUTH_APOP, /* POP3; never chosen by auto */
	CONF_AUTHS
};

enum conf_tls_verify {
	CONF_VERIFY_CHAIN,
	CONF_VERIFY_PIN, /* the pins instead of chain and name */
	CONF_VERIFY_BOTH,
	CONF_VERIFY_DANE /* TLSA records instead of the chain */
};

enum conf_tls_min { CONF_TLS_1_2, CONF_TLS_1_3 };

enum conf_ocsp { CONF_OCSP_STAPLED, CONF_OCSP_REQUIRE };

enum conf_family { CONF_ANY_FAMILY, CONF_IPV4, CONF_IPV6 };

enum conf_proxy_kind { CONF_NO_PROXY, CONF_SOCKS5, CONF_HTTP_PROXY };

enum conf_after { CONF_KEEP, CONF_DELETE };

enum conf_watch { CONF_WATCH_IDLE, CONF_WATCH_POLL };

struct conf_list { /* strings in the order written */
	char **v;  /* v[n] is NULL, so v can be an argv */
	size_t n;
};

/* Where a secret comes from: exactly one is set, or none (then it is asked
 * for nowhere and logging in fails in words). */
struct conf_secret {
	char *file;
	struct conf_list command;
	char *credential; /* a name in $CREDENTIALS_DIRECTORY */
	struct secret *literal;
	char *netrc; /* path: the password of host and user */
	struct conf_list token_command; /* prints an access token */
	struct conf_oauth2 *oauth2;     /* see "mailhaul login" */
};

/*
 * How an access token is obtained (RFC 6749): a section of the file on top of
 * the preset it names or is named after, or a preset alone. Each account has
 * a copy of its own.
 */
struct conf_oauth2 {
	char *name; /* "google", or the title of the section */
	char *client_id;
	struct secret *client_secret; /* or NULL */
	char *client_secret_file;     /* or NULL; instead of client_secret */
	char *scopes;                 /* separated by SP; or NULL */
	char *device_url; /* RFC 8628; NULL: it has no device flow */
	char *auth_url;   /* NULL: it has no authorization code flow */
	char *token_url;
	char *ca_file; /* of these three; NULL: the system's */
};

struct conf_proxy {
	enum conf_proxy_kind kind;
	char *host;
	unsigned int port;
	char *user;              /* NULL: it wants none */
	struct secret *password; /* NULL: none */
};

/* Where mail goes to: an account has exactly one. */
enum conf_way { CONF_MAILDIR, CONF_MDA, CONF_LMTP, CONF_SMTP, CONF_MBOX };

/* What the exit status of an MDA means. */
enum conf_exit { CONF_EXIT_ACCEPT, CONF_EXIT_LATER, CONF_EXIT_HOLD };

enum conf_oversize { CONF_SKIP, CONF_STUB };

struct conf_server {  /* a socket, or a host and a port */
	char *socket; /* absolute path */
	char *host;
	unsigned int port;
};

struct conf_account {
	char *name;
	char *where; /* "file:line" of its section, for errors */
	char *owner; /* the user whose own file that is; NULL: ours */
	enum conf_protocol protocol;
	char *host;
	unsigned int port; /* never 0: the default is filled in */
	enum conf_tls tls;
	char *tls_ca_file; /* NULL: the system's */
	char *tls_ca_pem;  /* what is in it, if it is not for us to open it */
	char *tls_name;    /* NULL: host */
	char *tls_ca_dir;  /* certificates beside or instead of tls_ca_file */
	enum conf_tls_verify tls_verify;
	struct conf_list tls_pins; /* SHA-256 of a SubjectPublicKeyInfo, each
	                              as 64 lower-case hexadecimal digits */
	enum conf_tls_min tls_min;
	char *tls_ciphers;  /* as in openssl-ciphers(1); NULL: ours */
	char *tls_crl_file; /* PEM; or NULL */
	enum conf_ocsp tls_ocsp;
	/* Our own certificate: both or none. PEM, a chain in the first. */
	char *tls_cert, *tls_key;
	/* As tls_ca_pem; the key is a secret. */
	char *tls_crl_pem, *tls_cert_pem;
	struct secret *tls_key_pem;
	uint64_t tls_warn_s; /* so long before the server's certificate
	                        expires; 0: never */
	/* How to get to the server. */
	struct conf_proxy proxy;
	struct conf_list tunnel; /* an argv that speaks for the server on its
	                            stdin and stdout; n 0: none */
	char *bind_address;      /* numeric; NULL: any */
	enum conf_family address_family;
	enum conf_auth auth;
	char *user;
	struct conf_secret secret;
	struct conf_list mailboxes; /* names and patterns, UTF-8; default INBOX;
	                               empty for POP3 */
	enum conf_watch watch;
	enum conf_after after;
	bool expunge_others; /* let a bare EXPUNGE remove what others marked */
	enum conf_way way;
	char *maildir, *mbox;     /* absolute, "~" expanded */
	struct conf_list mda;     /* an argv; see conf_template.h */
	struct conf_server relay; /* of lmtp and smtp; with a default port */
	bool maildir_folders, keep_flags; /* Maildir and IMAP only */
	bool mda_from_line, mda_new_privileges;
	unsigned int mda_timeout_s, mda_parallel;
	uint8_t mda_exit[256];       /* enum conf_exit, by exit status */
	struct conf_list recipients; /* one at most, but for lmtp and smtp */
	char *recipient_header;      /* goes before recipients; or NULL */
	char *recipient_prefix;      /* to take off; or NULL */
	bool trace_received, trace_source;
	bool trace_delivered_to; /* never with lmtp and smtp */
	uint64_t max_size;       /* 0: any */
	enum conf_oversize oversize;
	/* Of lmtp and smtp; else none and NULL. */
	enum conf_tls delivery_tls; /* "auto" is decided */
	char *delivery_tls_ca_file; /* NULL: the system's */
	char *delivery_tls_ca_pem;  /* as tls_ca_pem */
	char *delivery_tls_name;    /* NULL: relay.host */
	char *helo_name;            /* this host's is filled in */
	unsigned int delivery_timeout_s, delivery_parallel;
	char *run_as;        /* deliver as this user; NULL: as who we are */
	uint64_t interval_s; /* POP3: between fetches. IMAP: at the latest so
	                        often it is looked whether mail came unheard */
	uint64_t poll_s;     /* IMAP: where the server does not tell of mail */
	unsigned int idle_renew_s;
	unsigned int max_connections; /* IMAP: of this account in the daemon */
	bool notify, list_status;     /* use them where they are offered */
	unsigned int connect_timeout_s, tls_timeout_s, command_timeout_s;
	uint64_t total_timeout_s;  /* of one fetch; 0: none */
	unsigned int retries;      /* of a fetch that lost its connection */
	bool pipelining, capa, id; /* knobs for servers that choke on them */
};

struct conf {
	char *path; /* of the file read */
	enum log_level log_level;
	char *state_dir; /* absolute */
	unsigned int max_connections_per_host;
	enum log_format log_format;
	char *control;                   /* the socket; never NULL */
	char *control_group;             /* who may use it too; or NULL */
	char *engine_user;               /* NULL: as who we are */
	struct conf_list users;          /* names and "@group": may have their
	                                    own files */
	unsigned int user_accounts;      /* each of them at most so many */
	unsigned int user_connections;   /* in all */
	bool user_commands;              /* they may use password-command */
	unsigned int stop_timeout_s;     /* of the daemon */
	struct conf_list notify_command; /* an argv; n 0: none */
	uint64_t notify_after_s;         /* what lasts so long is an incident */
	struct conf_server metrics;      /* loopback only; none: both NULL */
	struct conf_list warnings;       /* "file:line: text": it can be used,
	                                    but think about it */
	struct conf_account *accounts;
	size_t n;
};

/*
 * Reads and checks a whole file. NULL when anything is wrong; *errors then
 * has every error found (an array of *n_errors texts; free with
 * conf_errors_free). path NULL: $XDG_CONFIG_HOME/mailhaul/mailhaul.conf (or
 * ~/.config/...) if it exists, else /etc/mailhaul/mailhaul.conf.
 */
struct conf *conf_load(const char *path, char ***errors, size_t *n_errors);

/*
 * The same of all *.conf in a directory, in the order of their names, as one
 * configuration: what a user has in his ~/.config/mailhaul. For a process
 * that has become this user, with his HOME. Only log-level counts of the
 * global options, all else there and run-as is an error; so is a file that
 * belongs to somebody else. A directory that is missing or has no such file
 * has no accounts and no errors.
 */
struct conf *conf_load_dir(const char *dir, char ***errors, size_t *n_errors);

/* The socket of the daemon that the file is about, whatever else is wrong in
 * it; the caller frees it. One that we may not read is taken for the
 * system's. NULL: there is no such file. */
char *conf_control(const char *path);
void conf_free(struct conf **c); /* wipes literal secrets; NULL is fine */
void conf_errors_free(char ***errors, size_t *n);

/* NULL when there is no such account. */
struct conf_account *conf_find(struct conf *c, const char *name);

/* The known account whose name is nearest, or NULL: for "did you mean". */
const char *conf_nearest(const struct conf *c, const char *name);

#define CONF_NO_ACCOUNT_MAX 1024 /* longer ones are cut */
/* 'there is no account "wrok" in FILE; did you mean "work"?'; dst is
 * returned. */
char *conf_no_account(
    const struct conf *c, const char *name, char *dst, size_t size);

/* "imap user@host:993 (tls), INBOX + 2 more -> ~/Maildir, keep": one line for
 * mailhaul check; dst is returned. Other destinations: "procmail (mda)", "lmtp
 * unix:/run/x", "smtp host:25", "mbox /var/mail/bob"; each with " as alice"
 * if that is run-as. Never a secret. */
char *conf_summary(const struct conf_account *a, char *dst, size_t size);

#endif
