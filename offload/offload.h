/* Threads that run C functions for goroutines. */
#ifndef TRILOBITE_OFFLOAD_H
#define TRILOBITE_OFFLOAD_H

/* A job is a call of work(arg). */
typedef struct {
	void (*work)(void *);
	void *arg;
} tl_job;

/* tl_thread starts a thread that does jobs for as long as the process lives, and returns an
 * errno. *give is where tl_give writes them, *done where a byte can be read after each. */
int tl_thread(int *give, int *done);

void tl_give(int give, void *work, void *arg);

/* tl_call does a job in the calling thread. */
void tl_call(void *work, void *arg);

#endif
