/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_TLS_H
#define MAILHAUL_CONF_CONF_TLS_H

/* What TLS is told of an account's server. */

#include "conf/conf.h"
#include "conf/conf_kind.h"

CONF_KIND(conf_read_pins); /* to a struct conf_list, see conf.h */

/* As in conf_value.h: a list of ciphers for OpenSSL; not whether they exist. */
const char *conf_check_ciphers(const char *s);

/* Once all options are read: decides tls_verify, and what does not go
 * together. */
void conf_tls_finish(struct conf_reader *r, const struct conf_section *own,
    struct conf_account *a);

#endif
