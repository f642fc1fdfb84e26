package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/compare"
)

// weighFlag is how the command starts itself once more, to measure one route's memory.
const weighFlag = "weigh"

// weigh prints the peak memory of this process while it asks one route.
func weigh(cmd *cobra.Command, c compare.Config, route string) error {
	most, err := compare.PeakMemory(cmd.Context(), c, route)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), most)
	return err
}

// weighed returns what measures a route's memory: the same command, with --weigh, as a
// process of its own. It is nil where this process is no trilobite, as in tests.
func (a *App) weighed() func(ctx context.Context, route string) (int64, error) {
	if a.program == "" {
		return nil
	}
	return func(ctx context.Context, route string) (int64, error) {
		args := slices.Concat(os.Args[1:], []string{"--" + weighFlag, route})
		out, err := exec.CommandContext(ctx, a.program, args...).Output() //nolint:gosec // G204: this program, with its own arguments
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return 0, fmt.Errorf("measuring the memory of %s: %w: %s", route, err, strings.TrimSpace(string(exit.Stderr)))
		} else if err != nil {
			return 0, fmt.Errorf("measuring the memory of %s: %w", route, err)
		}
		return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	}
}
