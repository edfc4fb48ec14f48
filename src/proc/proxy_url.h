/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_PROXY_URL_H
#define MAILHAUL_PROC_PROXY_URL_H

/* An account's proxy as libcurl wants it: "socks5h://user:password@host:port",
 * where the proxy finds out what a name leads to. */

#include "conf/conf.h"
#include "util/buf.h"

/* Added to *out with its NUL: it may hold a secret. False when there is none,
 * and nothing is added. */
bool proxy_url_put(struct buf *out, const struct conf_proxy *proxy);

#endif
