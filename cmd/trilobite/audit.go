package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trilobite/custom"
)

func newAuditCmd(app *App) *cobra.Command {
	var (
		asJSON bool
		q      = custom.AuditQuery{Limit: 100}
		since  time.Duration
	)
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "What changed what in Custom Labels, and which key asked for it",
		Example: "  trilobite audit --account 123456789012 --since 24h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			db, err := openStore(cmd.Context(), c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			q.Since = time.UnixMilli(0)
			if since > 0 {
				q.Since = time.Now().Add(-since)
			}
			changes, err := db.Audit(cmd.Context(), q)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(append([]custom.Change{}, changes...))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			fmt.Fprintln(t, "TIME\tACCOUNT\tKEY\tACTION\tRESOURCE")
			for _, x := range changes {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.At.Local().Format(time.DateTime), x.Account, x.KeyID, x.Action, x.Resource)
			}
			return t.Flush()
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.StringVar(&q.Account, "account", "", "of this `account` alone")
	f.DurationVar(&since, "since", 0, "of the last so long (default all)")
	f.IntVar(&q.Limit, "limit", q.Limit, "lines at most, newest first")
	return cmd
}
