// Package offloadtest has C functions for tests of package offload to call.
package offloadtest

/*
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
