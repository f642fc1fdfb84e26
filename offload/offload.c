#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif

#include "offload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* A job is a call of work(arg). */
typedef struct {
	void (*work)(void *);
	void *arg;
} job;

/* ends are a thread's own: it reads jobs and writes to done. */
typedef struct {
	int jobs, done;
} ends;

/* put writes n bytes, which fit a pipe that nobody else writes to. */
static void put(int fd, const void *from, size_t n)
{
	while (write(fd, from, n) < 0 && errno == EINTR)
		;
}

static void get(int fd, job *to)
{
	while (read(fd, to, sizeof *to) < 0 && errno == EINTR)
		;
}

static void *loop(void *p)
{
	const ends e = *(ends *) p;
	job given;

	free(p);
#ifdef __linux__
	/* It computes for long, and says so: who wakes up for a moment goes first, and it is
	 * not put in their way. */
	const struct sched_param none = {0};
	pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
	pthread_setname_np(pthread_self(), "offload");
#endif
	for (;;) {
		get(e.jobs, &given);
		given.work(given.arg);
		put(e.done, "", 1);
	}
	return NULL;
}

/* plain is a tl_starter. */
static int plain(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	const int err = pthread_create(&thread, NULL, run, arg);
	if (!err)
		pthread_detach(thread);
	return err;
}

/* start starts the thread; signals are for Go's threads. */
static int start(tl_starter starter, ends own)
{
	ends *e = malloc(sizeof *e);
	sigset_t all, before;

	if (!e)
		return ENOMEM;
	*e = own;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int err = (starter ? starter : plain)(loop, e);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		free(e);
	return err;
}

/* open_pipe opens a pipe that programs started by this one do not inherit. */
static int open_pipe(int fd[2])
{
#ifdef __linux__
	return pipe2(fd, O_CLOEXEC) ? errno : 0;
#else
	if (pipe(fd))
		return errno;
	fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	return 0;
#endif
}

static void close_pipe(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

int tl_thread(void *starter, int *give, int *done)
{
	int jobs[2], told[2], err;

	if ((err = open_pipe(jobs)))
		return err;
	if ((err = open_pipe(told))) {
		close_pipe(jobs);
		return err;
	}
	if ((err = start((tl_starter) starter, (ends) {jobs[0], told[1]}))) {
		close_pipe(jobs);
		close_pipe(told);
		return err;
	}
	*give = jobs[1];
	*done = told[0];
	return 0;
}

void tl_give(int give, void *work, void *arg)
{
	const job given = {(void (*)(void *)) work, arg};
	put(give, &given, sizeof given);
}

void tl_call(void *work, void *arg)
{
	((void (*)(void *)) work)(arg);
}
