package ort

/*
#include <malloc.h>

// The GNU C library keeps freed memory for later; other libraries give it back.
static void trim(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// trim returns freed memory to the system. Making a session takes several times what
// it keeps, and a closed one should be gone from the process's size as well.
func trim() { C.trim() }
