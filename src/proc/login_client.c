/* SPDX-License-Identifier: ISC */
#include "proc/login_client.h"

#include "conf/secret.h"
#include "proc/reader.h"

struct ask {
	struct loop *loop;
	struct secret *secret;
	struct err err; /* why there is none */
};

static void
on_reader(void *arg, struct span said, const struct err *e)
{
	struct ask *a = arg;

	if (e == NULL)
		a->secret = reader_secret_of(said, &a->err);
	else
		a->err = *e;
	loop_stop(a->loop);
}

static int
read_as(const struct user *owner, const char *path, struct secret **out,
    struct err *e)
{
	struct ask a = { .loop = loop_new() };

	(void)reader_ask(a.loop, owner, READER_SECRET, path, on_reader, &a);
	loop_run(a.loop); /* it always answers */
	loop_free(&a.loop);
	*out = a.secret;
	if (a.secret == NULL)
		*e = a.err;
	return a.secret == NULL ? -1 : 0;
}

int
login_client_secret(const struct conf_oauth2 *oauth2, const struct user *owner,
    struct secret **out, struct err *e)
{
	const char *path = oauth2->client_secret_file;
	const struct conf_account from = { .secret.file =
					       oauth2->client_secret_file };
	int rc;

	*out = NULL;
	if (path == NULL) {
		if (oauth2->client_secret != NULL)
			*out = secret_new(secret_span(oauth2->client_secret));
		return 0;
	}
	rc = owner != NULL ? read_as(owner, path, out, e)
			   : conf_secret_read(&from, out, e);
	return rc == 0 ? 0 : err_prefix(e, "client-secret-file");
}
