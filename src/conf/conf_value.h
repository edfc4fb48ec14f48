/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_CONF_CONF_VALUE_H
#define MAILHAUL_CONF_CONF_VALUE_H

/*
 * What a value may be. Each check answers NULL when the value is good, and
 * otherwise what is wrong and what to do, to stand behind the option's name.
 * The answer never quotes the value.
 */

/* Goes on the wire: not empty, no CR, LF or NUL, well-formed UTF-8. */
const char *conf_check_wire(const char *s);

/* A host name (RFC 1123, with "_"), an IPv4 or a bare IPv6 address. */
const char *conf_check_host(const char *s);

/* An address of the envelope (RFC 5321 4.1.2), with or without a domain. */
const char *conf_check_address(const char *s);

/* The name of a header field (RFC 5322 3.6.8). */
const char *conf_check_field_name(const char *s);

/* A name for LHLO and EHLO (RFC 5321 4.1.1.1): a host's, or an address in
 * brackets. */
const char *conf_check_helo(const char *s);

const char *conf_check_account_name(const char *s);
const char *conf_check_password(const char *s);
const char *conf_check_credential(const char *s);

#endif
