package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"trilobite/zoo"
)

func newModelsRollbackCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "rollback MODEL",
		Short: "Let an earlier version of a model answer to its name again",
		Long: `Makes a copy of an earlier version the newest one, which a name alone means: servers that run answer
with it from the next request on. MODEL is a name, for the version before the newest, or name@version.
Nothing is removed; whoever names a version gets that version.`,
		Example: "  trilobite models rollback road\n  trilobite models rollback road@2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			m, err := zoo.NewStore(c.Home).BackTo(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s answers to %s now\n", m.Ref(), m.Name)
			return nil
		},
	}
}
