package main

import (
	"os"
	"strings"
	"testing"
)

func TestThreadsWakeLate(t *testing.T) {
	t.Parallel()
	slack, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(slack)); got != "1000000" {
		t.Errorf("a thread's timers may be %s ns late, want 1000000", got)
	}
}
