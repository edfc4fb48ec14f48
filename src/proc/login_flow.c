/* SPDX-License-Identifier: ISC */
#include "proc/login_flow.h"

#include "proc/proxy_url.h"

#define REQUEST_MS 30000
#define PROXY_MAX 65536

struct https *
login_flow_post(const struct login_flow *flow, const char *url,
    struct buf *form, https_fn fn, void *arg)
{
	struct https_params params = {
		.url = url,
		.form = buf_span(form),
		.ca_file = flow->provider->ca_file,
		.timeout_ms = REQUEST_MS,
		.user = flow->user,
	};
	struct buf proxy;
	struct https *h;

	buf_init(&proxy, PROXY_MAX);
	if (proxy_url_put(&proxy, &flow->account->proxy))
		params.proxy = buf_span(&proxy).p;
	h = https_start(flow->loop, &params, fn, arg);
	buf_wipe(&proxy);
	buf_wipe(form);
	return h;
}
