package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/gc"
	"trilobite/objects"
)

func newGCCmd(app *App) *cobra.Command {
	var asJSON, dry bool
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove what nobody needs any more",
		Long: `Removes images and folders of trainings that are over, custom models without a version,
runs and uploads older than the settings keep.* say, and what died programs left. A server
does the same every keep.every. It may run meanwhile.`,
		Example: "  trilobite gc --dry-run\n  TRILOBITE_KEEP_RUNS=720h trilobite gc",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			items, forgotten, err := collectGarbage(cmd.Context(), c, dry)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"removed": !dry, "items": append([]gc.Item{}, items...), "audit": forgotten})
			}
			return printGarbage(cmd, items, dry)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&dry, "dry-run", "n", false, "list only")
	return cmd
}

func printGarbage(cmd *cobra.Command, items []gc.Item, dry bool) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
	sum := int64(0)
	for _, i := range items {
		fmt.Fprintf(t, "%s\t%s\t%s\n", i.Kind, bytesText(i.Bytes), i.Name)
		sum += i.Bytes
	}
	if err := t.Flush(); err != nil {
		return err
	}
	verb := "removed"
	if dry {
		verb = "can go"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d %s, %s\n", len(items), verb, bytesText(sum))
	return nil
}

// collectGarbage opens what a home has and collects once.
func collectGarbage(ctx context.Context, c config.Config, dry bool) (items []gc.Item, forgotten int64, err error) {
	db, err := openStore(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	hosted, err := openHosted(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, hosted.Close()) }()
	return collectOnce(ctx, c, db, hosted, dry)
}

func collectOnce(ctx context.Context, c config.Config, db records, hosted *objects.Hosted, dry bool) ([]gc.Item, int64, error) {
	h := gc.Home{
		Dir: c.Home, Hosted: hosted, Now: time.Now(), Keep: gc.Keep{Images: c.Keep.Images, Runs: c.Keep.Runs, Uploads: c.Keep.Uploads},
		Records: func(ctx context.Context) (gc.Kept, error) {
			models, trainings, err := db.Kept(ctx)
			return gc.Kept{Models: models, Trainings: trainings}, err
		},
	}
	items, err := gc.Find(ctx, h)
	if err != nil || dry {
		return items, 0, err
	}
	if err := gc.Remove(ctx, h, items); err != nil || c.Keep.Audit == 0 {
		return items, 0, err
	}
	forgotten, err := db.ForgetAudit(ctx, time.Now().Add(-c.Keep.Audit))
	return items, forgotten, err
}

// collectEvery collects every so often until ctx ends; wait waits for the end.
func collectEvery(ctx context.Context, c config.Config, log *slog.Logger, db records, hosted *objects.Hosted) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c.Keep.Every == 0 {
			return
		}
		for tick := time.NewTicker(c.Keep.Every); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			items, _, err := collectOnce(ctx, c, db, hosted, false)
			if err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "collecting garbage", "error", err)
			} else if len(items) > 0 {
				log.InfoContext(ctx, "collected garbage", "items", len(items))
			}
		}
	}()
	return func() { <-done }
}
