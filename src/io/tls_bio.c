/* SPDX-License-Identifier: ISC */
#include "io/tls_bio.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
remember(struct tls_bio *s, const char *p, size_t n)
{
	size_t room = sizeof(s->first) - s->n_first;

	if (n > room)
		n = room;
	memcpy(s->first + s->n_first, p, n);
	s->n_first += n;
}

static bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static int
bio_read(BIO *bio, char *p, size_t n, size_t *got)
{
	struct tls_bio *s = BIO_get_data(bio);
	ssize_t r;

	BIO_clear_retry_flags(bio);
	*got = 0;
	if (n > s->allowance)
		n = s->allowance;
	if (n == 0) { /* the socket stays readable, the loop comes back */
		BIO_set_retry_read(bio);
		return 0;
	}
	r = recv(s->fd, p, n, 0);
	if (r > 0) {
		s->allowance -= (size_t)r;
		remember(s, p, (size_t)r);
		*got = (size_t)r;
		return 1;
	}
	if (r == 0)
		s->eof = true;
	else if (would_block(errno))
		BIO_set_retry_read(bio);
	else
		s->error = errno;
	return 0;
}

static int
bio_write(BIO *bio, const char *p, size_t n, size_t *sent)
{
	struct tls_bio *s = BIO_get_data(bio);
	ssize_t r;

	BIO_clear_retry_flags(bio);
	*sent = 0;
	r = send(s->fd, p, n, MSG_NOSIGNAL);
	if (r >= 0) {
		*sent = (size_t)r;
		return 1;
	}
	if (would_block(errno))
		BIO_set_retry_write(bio);
	else
		s->error = errno;
	return 0;
}

static long
bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	struct tls_bio *s = BIO_get_data(bio);

	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return s->eof ? 1 : 0;
	return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static void
make_method(void)
{
	method = BIO_meth_new(
	    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mailhaul socket");
	if (method == NULL)
		return;
	BIO_meth_set_read_ex(method, bio_read);
	BIO_meth_set_write_ex(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
}

BIO *
tls_bio_new(struct tls_bio *s)
{
	BIO *bio;

	pthread_once(&once, make_method);
	bio = method == NULL ? NULL : BIO_new(method);
	if (bio != NULL) {
		BIO_set_data(bio, s);
		BIO_set_init(bio, 1);
	}
	return bio;
}
