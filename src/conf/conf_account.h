/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_ACCOUNT_H
#define MAILHAUL_CONF_CONF_ACCOUNT_H

/* One account's life. */

#include "conf/conf.h"

/* The value of delivery_tls that is still to be decided. */
#define CONF_TLS_AUTO ((enum conf_tls)(CONF_TLS_NONE + 1))

/* The defaults; 0 and empty where they depend on other options. */
void conf_account_init(struct conf_account *a);
void conf_account_deinit(struct conf_account *a); /* wipes a password */

/* The option by which a program is run for logging in or connecting, or NULL:
 * users may have such programs run if they are allowed to. */
const char *conf_account_command(const struct conf_account *a);

void conf_secret_deinit(struct conf_secret *s); /* wipes; then it is none */
void conf_oauth2_free(struct conf_oauth2 **o);  /* wipes; NULL is fine */

#endif
