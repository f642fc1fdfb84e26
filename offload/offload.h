/* Threads that run C functions for goroutines. */
#ifndef TRILOBITE_OFFLOAD_H
#define TRILOBITE_OFFLOAD_H

/* A tl_starter starts a thread that calls run(arg) and is waited for by nobody. It returns
 * an errno. */
typedef int (*tl_starter)(void *(*run)(void *), void *arg);

/* tl_thread has starter, a tl_starter or NULL, start a thread that does jobs for as long as
 * the process lives, and returns an errno. *give is where tl_give writes them, *done where a
 * byte can be read after each. */
int tl_thread(void *starter, int *give, int *done);

/* tl_give has a thread that is idle call work, a void (*)(void *), with arg. */
void tl_give(int give, void *work, void *arg);

/* tl_call calls it in the calling thread. */
void tl_call(void *work, void *arg);

#endif
