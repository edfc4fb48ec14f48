/* SPDX-License-Identifier: ISC */
#include "deliver/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/mem.h"

#define THREADS_MAX 16
#define ALONE_MAX 8 /* files for which no thread is woken */
#define STACK_OCTETS (64 * 1024)

struct sync {
	pthread_mutex_t lock;
	pthread_cond_t begin, end;
	pthread_t threads[THREADS_MAX];
	unsigned int n_threads;
	unsigned int group; /* counts them, so that a thread joins each once */
	unsigned int at_work;
	bool quit;
	struct sync_file *files; /* not ours */
	size_t n;
	atomic_size_t next; /* the first that nobody has taken */
};

struct sync *
sync_new(void)
{
	struct sync *s = mem_new(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->begin, NULL);
	pthread_cond_init(&s->end, NULL);
	return s;
}

void
sync_free(struct sync **p)
{
	struct sync *s = *p;

	if (s == NULL)
		return;
	*p = NULL;
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_broadcast(&s->begin);
	pthread_mutex_unlock(&s->lock);
	for (unsigned int i = 0; i < s->n_threads; i++)
		pthread_join(s->threads[i], NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->begin);
	pthread_cond_destroy(&s->end);
	free(s);
}

static void
work(struct sync *s)
{
	size_t i;

	while ((i = atomic_fetch_add(&s->next, 1)) < s->n) {
		struct sync_file *f = &s->files[i];

		/* never again for this file, whatever the answer is */
		f->error = fsync(f->fd) < 0 ? errno : 0;
	}
}

static void *
run(void *arg)
{
	struct sync *s = arg;
	unsigned int done = 0;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->quit && s->group == done)
			pthread_cond_wait(&s->begin, &s->lock);
		if (s->quit)
			break;
		done = s->group;
		pthread_mutex_unlock(&s->lock);
		work(s);
		pthread_mutex_lock(&s->lock);
		if (--s->at_work == 0)
			pthread_cond_signal(&s->end);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* With fewer threads than hoped for, or none, it only takes longer. */
static void
start_threads(struct sync *s)
{
	sigset_t all, before;
	pthread_attr_t attr;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_OCTETS);
	while (s->n_threads < THREADS_MAX &&
	    pthread_create(&s->threads[s->n_threads], &attr, run, s) == 0)
		s->n_threads++;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
share(struct sync *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->n_threads == 0)
		start_threads(s);
	s->group++;
	s->at_work = s->n_threads;
	pthread_cond_broadcast(&s->begin);
	pthread_mutex_unlock(&s->lock);
	work(s);
	pthread_mutex_lock(&s->lock);
	while (s->at_work > 0)
		pthread_cond_wait(&s->end, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void
sync_group(struct sync *s, struct sync_file *files, size_t n)
{
	/* only a hint: a real failure shows in fsync */
	for (size_t i = 0; i < n; i++)
		sync_file_range(files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	s->files = files;
	s->n = n;
	atomic_store(&s->next, 0);
	if (n > ALONE_MAX)
		share(s);
	else
		work(s);
}
