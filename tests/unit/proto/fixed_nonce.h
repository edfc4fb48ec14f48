/* SPDX-License-Identifier: ISC */
#ifndef MAILHAUL_TESTS_UNIT_PROTO_FIXED_NONCE_H
#define MAILHAUL_TESTS_UNIT_PROTO_FIXED_NONCE_H

/* SCRAM with the client's nonce of RFC 5802 5. To be included once in a
 * program: it has a getrandom(), from which GNU SASL makes its nonces. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/random.h>
#include <sys/types.h>

#define FIXED_NONCE "fyko+d2lbbFgONRv9qkxdawL"

static bool nonce_is_fixed;

ssize_t
getrandom(void *buffer, size_t n, unsigned int flags)
{
	static const char fixed[] = "\x7f)(\xf9\xdd\xa5m\xb1`8\xd4o\xf6\xa9"
				    "1u\xac\x0b"; /* before base64 */
	static unsigned char next = 1;
	unsigned char *to = buffer;

	(void)flags;
	for (size_t i = 0; i < n; i++)
		to[i] = nonce_is_fixed
		    ? (unsigned char)fixed[i % (sizeof(fixed) - 1)]
		    : next++;
	return (ssize_t)n;
}

/* As in RFC 5802 5, in base64: user "user", password "pencil"; but with 16
 * iterations instead of 4096, so that all can be said at every split. */
#define SCRAM_OURS "biwsbj11c2VyLHI9ZnlrbytkMmxiYkZnT05Sdjlxa3hkYXdM"
#define SCRAM_FIRST                                                            \
	"cj1meWtvK2QybGJiRmdPTlJ2OXFreGRhd0wzcmZjTkhZSlkxWlZ2V1ZzN2oscz1RU1hD" \
	"UitRNnNlazhiZjkyLGk9MTY="
#define SCRAM_PROOF                                                            \
	"Yz1iaXdzLHI9ZnlrbytkMmxiYkZnT05Sdjlxa3hkYXdMM3JmY05IWUpZMVpWdldWczdq" \
	"LHA9VCtsUE82ZHhydXpGVThOYkgxQ1RkcmRDcnpzPQ=="
#define SCRAM_LAST "dj1ZT1Zld0d6K3laUGJYM25ySjFaMlc0dlpqWU09"

#endif
