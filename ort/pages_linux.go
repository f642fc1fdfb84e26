package ort

/*
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 // Linux 6.1
#endif

enum { small = 4 << 10, huge = 2 << 20 };

// wanted reports whether the system has pages of these sizes and gives large ones to those
// who ask.
static int wanted(void) {
	char line[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	if (!f) return 0;
	if (!fgets(line, sizeof line, f)) *line = 0;
	fclose(f);
	return sysconf(_SC_PAGESIZE) == small && *line && !strstr(line, "[never]");
}

// used reports whether a quarter of the range of a large page is in memory.
static int used(void *at) {
	unsigned char in[huge / small];
	int n = 0;
	if (mincore(at, huge, in)) return 0;
	for (int i = 0; i < huge / small; i++) n += in[i] & 1;
	return n >= huge / small / 4;
}

static void large_pages(void) {
	char line[512], rights[8];
	unsigned long at, end, inode;
	FILE *f;
	if (!wanted() || !(f = fopen("/proc/self/maps", "r"))) return;
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &at, &end, rights, &inode) != 4) continue;
		if (strcmp(rights, "rw-p") || inode || end - at < 2 * huge) continue;
		for (at = (at + huge - 1) / huge * huge; at + huge <= end; at += huge)
			if (used((void *)at)) madvise((void *)at, huge, MADV_COLLAPSE);
	}
	fclose(f);
}
*/
import "C"

// largePages puts what the process has in memory by now into pages of 2 MiB. Weights and
// activations of a small network are tens of MB that every run reads and writes; to look up
// their small pages' addresses takes 2 to 4 % of its time, in a virtual machine each in two
// tables (bench/RESULTS.md). It costs some tens of milliseconds, once. What comes later stays
// in small ones: with large ones asked for in advance, memory grew by a sixth in 20,000 requests.
func largePages() { C.large_pages() }
