/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_PROC_KERBEROS_WHY_H
#define MAILHAUL_PROC_KERBEROS_WHY_H

/*
 * Why Kerberos has failed. GNU SASL tells that it did, and keeps to itself what
 * the library said; that can write down what it does (KRB5_TRACE of MIT's, see
 * kerberos(7)), and there stands in words what it came to. Pure.
 */

#include "util/err.h"
#include "util/span.h"

/* trace: all of it, or its end. user, service and host: of whom it was to be
 * for what, for texts. Fills *e and returns -1. */
int kerberos_why(struct span trace, const char *user, const char *service,
    const char *host, struct err *e);

#endif
