// Command fetchdeps brings the pinned packages that building and testing need into
// a folder. It is pure Go, because the native libraries are not there yet.
//
//	go run ./cmd/fetchdeps [-dir .deps] [-platform linux/arm64] [use ...]
//
// Uses are build, run, test and pull; without any, all but pull.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"

	"trilobite/deps"
	"trilobite/fetch"
)

func main() {
	dir := flag.String("dir", ".deps", "target folder")
	platform := flag.String("platform", runtime.GOOS+"/"+runtime.GOARCH, "GOOS/GOARCH")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dir, *platform, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "fetchdeps:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, dir, platform string, uses []string) error {
	if len(uses) == 0 {
		uses = []string{"build", "run", "test"}
	}
	packages, err := deps.Packages()
	if err != nil {
		return err
	}
	for _, p := range packages {
		if !slices.Contains(uses, p.Use) {
			continue
		}
		if err := fetch.Package(ctx, p, platform, dir, os.Stderr); err != nil {
			return err
		}
	}
	return nil
}
