package main

/*
#include <sys/prctl.h>

// Before there is any thread but this one, of which all others inherit it.
__attribute__((constructor)) static void slack(void) { prctl(PR_SET_TIMERSLACK, 1000000UL, 0, 0, 0); }
*/
import "C"

// Go's monitor thread sleeps for 20 µs at a time while a goroutine runs, and interrupts
// whatever a core computes to look around. The kernel may end a sleep late, by 50 µs unless
// told otherwise; told a millisecond, it wakes the monitor a tenth as often: 3 % more
// requests a second, and no later answers (bench/RESULTS.md). Nothing here waits for less.
