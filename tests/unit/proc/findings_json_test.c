/* SPDX-License-Identifier: ISC */
#include "proc/findings_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/proc/found.h"

static void
expect(const struct conf_account *a, struct findings *f, bool mailboxes_only,
    const char *want)
{
	json_t *json = findings_json(a, f, mailboxes_only);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(json);
	findings_deinit(f);
}

#define HEAD(protocol)                                                         \
	"{\"account\":\"work\",\"protocol\":\"" protocol                       \
	"\",\"host\":\"mail.example.org\",\"port\":993,\"user\":\"alice\","
#define MAILBOXES                                                              \
	"\"mailboxes\":[{\"name\":\"INBOX\",\"chosen\":true,\"noselect\":"     \
	"false,\"unlisted\":false,\"messages\":12,\"uidnext\":34,"             \
	"\"uidvalidity\":56},{\"name\":\"Lists\",\"chosen\":false,"            \
	"\"noselect\":true,\"unlisted\":false},{\"name\":\"Gone\","            \
	"\"chosen\":true,\"noselect\":false,\"unlisted\":true,\"error\":"      \
	"\"no such\"}],\"not_shown\":9,"
#define WELL "\"ok\":true,\"exit_status\":0}"

static void
has_all_of_it(void **state)
{
	const struct conf_account a = found_account();
	struct findings f = { 0 };

	(void)state;
	found_fill(&f);
	expect(&a, &f, false,
	    HEAD("imap") "\"reached\":\"192.0.2.1:993\",\"tls\":{\"session\":"
			 "\"TLSv1.3 X\",\"verified_by\":\"chain\",\"state\":"
			 "\"OCSP: good\"},\"certificates\":[{\"subject\":"
			 "\"example.org\",\"names\":\"example.org, b.example\","
			 "\"issuer\":\"Some CA\",\"pin\":\"sha256:AAA=\","
			 "\"not_before\":1799913600,\"not_after\":1800432001},"
			 "{\"subject\":\"Some CA\",\"issuer\":\"Root\",\"pin\":"
			 "\"sha256:BBB=\",\"not_before\":0,\"not_after\":"
			 "1799999999}],\"greeting\":\"hello\",\"offered\":"
			 "\"IMAP4rev1 ID\",\"login\":{\"mechanism\":\"PLAIN\","
			 "\"why\":\"all there is\"},\"capabilities\":"
			 "\"IMAP4rev1 IDLE\",\"server\":\"name x\","
			 "\"known_as\":[{\"server\":\"Y\",\"what\":\"is odd\"}]"
			 ",\"used\":[{\"for\":\"new mail\",\"by\":\"IDLE\"},"
			 "{\"for\":\"removal\",\"by\":\"UIDPLUS\"}],"
			 "\"warnings\":[\"careful\"]," MAILBOXES WELL);
}

static void
has_the_mailboxes_alone(void **state)
{
	const struct conf_account a = found_account();
	struct findings f = { 0 };

	(void)state;
	found_fill(&f);
	expect(&a, &f, true,
	    HEAD("imap") "\"warnings\":[\"careful\"]," MAILBOXES WELL);
}

static void
has_a_maildrop(void **state)
{
	const struct fact drop = { FACT_MAILDROP, { "", "", "", "" },
		{ 3, UINT64_MAX } };
	struct conf_account a = found_account();
	struct findings f = { 0 };

	(void)state;
	a.protocol = CONF_POP3;
	findings_add(&f, &drop);
	expect(
	    &a, &f, true, HEAD("pop3") "\"warnings\":[],\"messages\":3," WELL);
}

static void
has_the_error(void **state)
{
	const struct conf_account a = found_account();
	struct findings f = { .of_server = true };

	(void)state;
	err_set(&f.e, ERR_THROTTLE, 0, "slow \"down\"");
	expect(&a, &f, true,
	    HEAD("imap") "\"warnings\":[],\"mailboxes\":[],\"not_shown\":0,"
			 "\"ok\":false,\"exit_status\":75,\"error\":{\"kind\":"
			 "\"throttle\",\"text\":\"slow \\\"down\\\"\",\"hint\":"
			 "\"wait as long as it asks; do other programs use "
			 "this account?\"}}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_all_of_it),
		cmocka_unit_test(has_the_mailboxes_alone),
		cmocka_unit_test(has_a_maildrop),
		cmocka_unit_test(has_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
