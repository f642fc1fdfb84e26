package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trilobite/auth"
)

func newKeyCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Create, list, rotate and revoke keys",
		Long: `A key belongs to an account, twelve digits, which scopes what its holder sees. It serves
as AWS credentials (access key id and secret) and, as ID.SECRET, as a Google API key or
Bearer token.`,
	}
	cmd.AddCommand(newKeyCreateCmd(app), newKeyListCmd(app), newKeyRotateCmd(app), newKeyRevokeCmd(app))
	return cmd
}

// withKeys runs a command on the store of keys.
func withKeys(app *App, run func(cmd *cobra.Command, keys *auth.Keys, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := app.config(cmd)
		if err != nil {
			return err
		}
		keys, closeKeys, err := openKeys(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer closeKeys() //nolint:errcheck // the commands' writes are committed by then
		return run(cmd, keys, args)
	}
}

// secretView is a key with its secret, shown once.
type secretView struct {
	ID      string `json:"id"`
	Secret  string `json:"secret"`
	Account string `json:"account,omitempty"`
}

func (v secretView) print(cmd *cobra.Command, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		return json.NewEncoder(w).Encode(v) //nolint:gosec // shown this once, on purpose
	}
	_, err := fmt.Fprintf(w, `The secret is shown this once.

AWS clients      AWS_ACCESS_KEY_ID=%s
                 AWS_SECRET_ACCESS_KEY=%s
Google clients   x-goog-api-key: %s.%s
`, v.ID, v.Secret, v.ID, v.Secret)
	return err
}

func newKeyCreateCmd(app *App) *cobra.Command {
	var n auth.NewKey
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a key and show its secret, once",
		Args:  cobra.NoArgs,
		RunE: withKeys(app, func(cmd *cobra.Command, keys *auth.Keys, _ []string) error {
			k, secret, err := keys.Create(cmd.Context(), n)
			if err != nil {
				return err
			}
			return secretView{k.ID, secret, k.Account}.print(cmd, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&n.Account, "account", "", "12 `digits` (default "+auth.DefaultAccount+")")
	f.StringVar(&n.Name, "name", "", "what the key is for, for people")
	f.Float64Var(&n.RatePerSecond, "rate", 0, "requests per second (0: no limit)")
	f.IntVar(&n.Burst, "burst", 0, "requests at once (0: one second's worth)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// keyView is a key as it is listed; its secret never is.
type keyView struct {
	ID        string     `json:"id"`
	Account   string     `json:"account"`
	Name      string     `json:"name,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Rate      float64    `json:"rate,omitempty"`
}

func newKeyListCmd(app *App) *cobra.Command {
	var account string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys without their secrets",
		Args:  cobra.NoArgs,
		RunE: withKeys(app, func(cmd *cobra.Command, keys *auth.Keys, _ []string) error {
			all, err := keys.List(cmd.Context(), account)
			if err != nil {
				return err
			}
			views := make([]keyView, len(all))
			for i, k := range all {
				views[i] = keyView{ID: k.ID, Account: k.Account, Name: k.Name, CreatedAt: k.CreatedAt, Rate: k.RatePerSecond}
				if k.Revoked() {
					views[i].RevokedAt = &k.RevokedAt
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(views)
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tACCOUNT\tSTATE\tCREATED\tNAME")
			for _, v := range views {
				state := "in force"
				if v.RevokedAt != nil {
					state = "revoked"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.Account, state, v.CreatedAt.Format(time.DateOnly), v.Name)
			}
			return t.Flush()
		}),
	}
	cmd.Flags().StringVar(&account, "account", "", "only this account's")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newKeyRotateCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give a key a new secret; the old one ends within a second",
		Args:  cobra.ExactArgs(1),
		RunE: withKeys(app, func(cmd *cobra.Command, keys *auth.Keys, args []string) error {
			secret, err := keys.Rotate(cmd.Context(), "", args[0])
			if err != nil {
				return err
			}
			return secretView{ID: args[0], Secret: secret}.print(cmd, asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newKeyRevokeCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End a key, within a second on servers that run",
		Args:  cobra.ExactArgs(1),
		RunE: withKeys(app, func(cmd *cobra.Command, keys *auth.Keys, args []string) error {
			if err := keys.Revoke(cmd.Context(), "", args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "revoked %s\n", args[0])
			return nil
		}),
	}
}
