package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/ort"
)

func newConfigCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the settings in force and where each comes from",
		Long: `Prints every setting as YAML that --config reads, with its origin beside it.

A setting tls.cert is --tls-cert as a flag and TRILOBITE_TLS_CERT in the
environment. Flags win over the environment, the environment over the file.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, origin, err := config.Load(app.file, cmd.Flags())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(config.Values(c))
			}
			return printConfig(cmd.OutOrStdout(), config.Values(c), origin)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printConfig writes settings as YAML, one a line, groups indented, origins as comments.
func printConfig(w io.Writer, values []config.Value, origin config.Origin) error {
	group := ""
	for _, v := range values {
		text, err := yaml.MarshalWithOptions(v.Value, yaml.Flow(true))
		if err != nil {
			return err
		}
		name, indent := v.Name, ""
		if g, key, nested := strings.Cut(v.Name, "."); nested {
			if g != group {
				fmt.Fprintf(w, "%s:\n", g)
			}
			group, name, indent = g, key, "  "
		}
		line := fmt.Sprintf("%s%s: %s", indent, name, strings.TrimSpace(string(text)))
		fmt.Fprintf(w, "%-50s # %s\n", line, origin[v.Name])
	}
	return nil
}

func newVersionCmd(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the program and its libraries",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "trilobite %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			rt, err := ort.Open(c.ORT.Library)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ONNX Runtime %s (%s)\n", rt.Version(), rt.Library())
			return nil
		},
	}
}
