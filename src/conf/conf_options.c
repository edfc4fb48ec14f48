/* SPDX-License-Identifier: ISC */
#include "conf/conf_options.h"

#include "conf/conf_daemon.h"
#include "conf/conf_delivery_kind.h"
#include "conf/conf_login.h"
#include "conf/conf_oauth2.h"
#include "conf/conf_route.h"
#include "conf/conf_tls.h"
#include "conf/conf_user_kind.h"
#include "conf/conf_value.h"

#define MINUTE_S UINT64_C(60)
#define HOUR_S UINT64_C(3600)
#define DAY_S UINT64_C(86400)
#define SIZE_LIMIT (UINT64_C(1) << 40)

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* In the order of the enums in conf.h and log.h. */
static const char *const protocols[] = { "imap", "pop3", NULL };

static const char *const tls_modes[] = { "implicit", "starttls", "none", NULL };

static const char *const auths[] = { "auto", "plain", "login", "cram-md5",
	"scram-sha-1", "scram-sha-1-plus", "scram-sha-256",
	"scram-sha-256-plus", "external", "xoauth2", "oauthbearer", "gssapi",
	"apop", NULL };

static const char *const verifications[] = { "chain", "pin", "both", "dane",
	NULL };

static const char *const tls_versions[] = { "1.2", "1.3", NULL };

static const char *const ocsps[] = { "stapled", "require", NULL };

static const char *const families[] = { "any", "ipv4", "ipv6", NULL };

static const char *const watches[] = { "idle", "poll", NULL };

static const char *const afters[] = { "keep", "delete", NULL };

static const char *const oversizes[] = { "skip", "stub", NULL };

/* The last is CONF_TLS_AUTO. */
static const char *const delivery_tls_modes[] = { "implicit", "starttls",
	"none", "auto", NULL };

static const char *const levels[] = { "error", "warning", "notice", "info",
	"debug", "trace", NULL };

static const char *const formats[] = { "auto", "text", "journal", "json",
	"syslog", NULL };

/* clang-format off */
#define GLOBAL(field) .at = offsetof(struct conf, field)
#define FIELD(field) .at = offsetof(struct conf_account, field)

static const struct conf_option global_options[] = {
	{ "log-level", conf_read_choice, GLOBAL(log_level), .words = levels },
	{ "state-dir", conf_read_path, GLOBAL(state_dir) },
	{ "max-connections-per-host", conf_read_number,
	    GLOBAL(max_connections_per_host), .min = 1, .max = 1000000 },
	{ "log-format", conf_read_choice, GLOBAL(log_format),
	    .words = formats },
	{ "control", conf_read_socket, GLOBAL(control) },
	{ "control-group", conf_read_group, GLOBAL(control_group) },
	{ "user", conf_read_engine_user, GLOBAL(engine_user) },
	{ "users", conf_read_users, GLOBAL(users) },
	{ "user-accounts", conf_read_number, GLOBAL(user_accounts),
	    .min = 1, .max = 1000 },
	{ "user-connections", conf_read_number, GLOBAL(user_connections),
	    .min = 1, .max = 1000 },
	{ "user-password-command", conf_read_bool, GLOBAL(user_commands) },
	{ "stop-timeout", conf_read_seconds, GLOBAL(stop_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "notify-command", conf_read_command, GLOBAL(notify_command) },
	{ "notify-after", conf_read_seconds_64, GLOBAL(notify_after_s),
	    .min = 0, .max = 7 * DAY_S },
	{ "metrics", conf_read_metrics, GLOBAL(metrics) },
};

static const struct conf_option account_options[] = {
	{ "run-as", conf_read_run_as, FIELD(run_as) }, /* says what "~" is */
	{ "protocol", conf_read_choice, FIELD(protocol), .words = protocols },
	{ "host", conf_read_text, FIELD(host), .check = conf_check_host },
	{ "port", conf_read_number, FIELD(port), .min = 1, .max = 65535 },
	{ "tls", conf_read_choice, FIELD(tls), .words = tls_modes },
	{ "tls-ca-file", conf_read_path, FIELD(tls_ca_file) },
	{ "tls-name", conf_read_text, FIELD(tls_name),
	    .check = conf_check_host },
	{ "tls-ca-dir", conf_read_path, FIELD(tls_ca_dir) },
	{ "tls-verify", conf_read_choice, FIELD(tls_verify),
	    .words = verifications },
	{ "tls-pin", conf_read_pins, FIELD(tls_pins) },
	{ "tls-min", conf_read_choice, FIELD(tls_min), .words = tls_versions },
	{ "tls-ciphers", conf_read_text, FIELD(tls_ciphers),
	    .check = conf_check_ciphers },
	{ "tls-crl-file", conf_read_path, FIELD(tls_crl_file) },
	{ "tls-ocsp", conf_read_choice, FIELD(tls_ocsp), .words = ocsps },
	{ "tls-cert", conf_read_path, FIELD(tls_cert) },
	{ "tls-key", conf_read_path, FIELD(tls_key) },
	{ "tls-warn-before", conf_read_seconds_64, FIELD(tls_warn_s),
	    .min = 0, .max = 365 * DAY_S },
	{ "proxy", conf_read_proxy, FIELD(proxy) },
	{ "tunnel", conf_read_tunnel, FIELD(tunnel) },
	{ "bind-address", conf_read_text, FIELD(bind_address),
	    .check = conf_check_bind },
	{ "address-family", conf_read_choice, FIELD(address_family),
	    .words = families },
	{ "auth", conf_read_choice, FIELD(auth), .words = auths },
	{ "user", conf_read_text, FIELD(user), .check = conf_check_wire },
	{ "password", conf_read_password, FIELD(secret.literal) },
	{ "password-file", conf_read_path, FIELD(secret.file) },
	{ "password-command", conf_read_command, FIELD(secret.command) },
	{ "password-credential", conf_read_text, FIELD(secret.credential),
	    .check = conf_check_credential },
	{ "password-netrc", conf_read_netrc, FIELD(secret.netrc) },
	{ "netrc-file", conf_read_netrc_file, FIELD(secret.netrc) },
	{ "oauth2", conf_read_oauth2, .at = 0 }, /* behind protocol */
	{ "token-command", conf_read_command, FIELD(secret.token_command) },
	{ "mailboxes", conf_read_mailboxes, FIELD(mailboxes) },
	{ "watch", conf_read_choice, FIELD(watch), .words = watches },
	{ "interval", conf_read_seconds_64, FIELD(interval_s),
	    .min = 10, .max = 30 * DAY_S },
	{ "idle-renew", conf_read_seconds, FIELD(idle_renew_s),
	    .min = 10, .max = 29 * MINUTE_S },
	{ "max-connections", conf_read_number, FIELD(max_connections),
	    .min = 1, .max = 100 },
	{ "notify", conf_read_bool, FIELD(notify) },
	{ "list-status", conf_read_bool, FIELD(list_status) },
	{ "after", conf_read_choice, FIELD(after), .words = afters },
	{ "expunge-others", conf_read_bool, FIELD(expunge_others) },
	{ "maildir", conf_read_target, FIELD(maildir) },
	{ "mda", conf_read_mda, FIELD(mda) },
	{ "lmtp", conf_read_server, FIELD(relay) },
	{ "smtp", conf_read_server, FIELD(relay) },
	{ "mbox", conf_read_target, FIELD(mbox) },
	{ "maildir-folders", conf_read_bool, FIELD(maildir_folders) },
	{ "keep-flags", conf_read_bool, FIELD(keep_flags) },
	{ "mda-timeout", conf_read_seconds, FIELD(mda_timeout_s),
	    .min = 1, .max = DAY_S },
	{ "mda-parallel", conf_read_number, FIELD(mda_parallel),
	    .min = 1, .max = 64 },
	{ "mda-from-line", conf_read_bool, FIELD(mda_from_line) },
	{ "mda-new-privileges", conf_read_bool, FIELD(mda_new_privileges) },
	{ "mda-exit", conf_read_exits, FIELD(mda_exit) },
	{ "recipient", conf_read_addresses, FIELD(recipients) },
	{ "recipient-header", conf_read_text, FIELD(recipient_header),
	    .check = conf_check_field_name },
	{ "recipient-prefix", conf_read_text, FIELD(recipient_prefix),
	    .check = conf_check_wire },
	{ "trace", conf_read_trace, .at = 0 },
	{ "max-size", conf_read_size, FIELD(max_size), .max = SIZE_LIMIT },
	{ "oversize", conf_read_choice, FIELD(oversize), .words = oversizes },
	{ "delivery-parallel", conf_read_number, FIELD(delivery_parallel),
	    .min = 1, .max = 16 },
	{ "delivery-tls", conf_read_choice, FIELD(delivery_tls),
	    .words = delivery_tls_modes },
	{ "delivery-tls-ca-file", conf_read_path, FIELD(delivery_tls_ca_file) },
	{ "delivery-tls-name", conf_read_text, FIELD(delivery_tls_name),
	    .check = conf_check_host },
	{ "delivery-timeout", conf_read_seconds, FIELD(delivery_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "helo-name", conf_read_text, FIELD(helo_name),
	    .check = conf_check_helo },
	{ "connect-timeout", conf_read_seconds, FIELD(connect_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "tls-timeout", conf_read_seconds, FIELD(tls_timeout_s),
	    .min = 1, .max = HOUR_S },
	{ "command-timeout", conf_read_seconds, FIELD(command_timeout_s),
	    .min = 1, .max = DAY_S },
	{ "total-timeout", conf_read_seconds_64, FIELD(total_timeout_s),
	    .min = 0, .max = 30 * DAY_S },
	{ "retries", conf_read_number, FIELD(retries), .min = 0, .max = 20 },
	{ "pipelining", conf_read_bool, FIELD(pipelining) },
	{ "capa", conf_read_bool, FIELD(capa) },
	{ "id", conf_read_bool, FIELD(id) },
};

/* clang-format on */

struct conf_options
conf_global_options(void)
{
	return (struct conf_options){ global_options, COUNT(global_options) };
}

struct conf_options
conf_account_options(void)
{
	return (struct conf_options){ account_options, COUNT(account_options) };
}

const char *
conf_auth_name(enum conf_auth auth)
{
	return auths[auth];
}
