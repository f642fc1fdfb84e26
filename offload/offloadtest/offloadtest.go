// Package offloadtest has C functions for tests of package offload to call.
package offloadtest

/*
#include <errno.h>
#include <pthread.h>

typedef struct {
	int in, out;
} doubling;

static void twice(void *p) {
	doubling *d = p;
	d->out = 2 * d->in;
}

static void *twice_function(void) { return (void *)twice; }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;

static void meet(void *p) {
	int *missing = p;
	pthread_mutex_lock(&lock);
	--*missing;
	pthread_cond_broadcast(&came);
	while (*missing > 0) pthread_cond_wait(&came, &lock);
	pthread_mutex_unlock(&lock);
}

static void *meet_function(void) { return (void *)meet; }

static int asked;

static int refuse(void *(*run)(void *), void *arg) {
	(void)run, (void)arg;
	__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
	return EAGAIN;
}

static void *refuse_function(void) { return (void *)refuse; }
static int asked_of(void) { return __atomic_load_n(&asked, __ATOMIC_RELAXED); }
*/
import "C"

import "unsafe"

// Doubling is what Twice is called with.
type Doubling struct{ In, Out int32 }

// Twice returns a C function that doubles In into Out.
func Twice() unsafe.Pointer { return C.twice_function() }

// Meet returns a C function that waits until it has been called as often as the int32 says
// that it is called with.
func Meet() unsafe.Pointer { return C.meet_function() }

// Refuse returns a tl_starter that starts no thread.
func Refuse() unsafe.Pointer { return C.refuse_function() }

// Refused is how many threads Refuse was asked for.
func Refused() int { return int(C.asked_of()) }
