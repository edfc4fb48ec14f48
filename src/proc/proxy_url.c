/* SPDX-License-Identifier: ISC */
#include "proc/proxy_url.h"

#include <string.h>

/* RFC 3986 2.3; all else is encoded, whatever it means. */
static void
put_encoded(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		    c == '_' || c == '~')
			buf_addc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void
put_login(struct buf *out, const struct conf_proxy *proxy)
{
	if (proxy->user == NULL)
		return;
	put_encoded(out, span_of(proxy->user));
	if (proxy->password != NULL) {
		buf_addc(out, ':');
		put_encoded(out, secret_span(proxy->password));
	}
	buf_addc(out, '@');
}

bool
proxy_url_put(struct buf *out, const struct conf_proxy *proxy)
{
	bool bracket;

	switch (proxy->kind) {
	case CONF_NO_PROXY:
		return false;
	case CONF_SOCKS5:
		buf_printf(out, "socks5h://");
		break;
	case CONF_HTTP_PROXY:
		buf_printf(out, "http://");
		break;
	}
	put_login(out, proxy);
	bracket = strchr(proxy->host, ':') != NULL;
	buf_printf(out, "%s%s%s:%u", bracket ? "[" : "", proxy->host,
	    bracket ? "]" : "", proxy->port);
	buf_addc(out, '\0');
	return true;
}
