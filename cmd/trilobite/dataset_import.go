package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"trilobite/config"
	"trilobite/dataset/catalog"
	"trilobite/dataset/open"
)

func newDatasetImportCmd(app *App) *cobra.Command {
	var o open.Options
	var name string
	var asJSON, fetch bool
	cmd := &cobra.Command{
		Use:   "import PATH",
		Short: "Keep a data set under a name: its pictures once each, its labels as a new version",
		Long: `Copies the pictures of a folder or file, in any format of docs/datasets.md, into the blob store (the
setting datasets.url: a folder of the home, s3:// or gs://), each content once, and keeps the labels
as the next version of the name. A version never changes. A set that is the same as the newest
version makes no new one. Pictures that a manifest names by URL are looked for beside it; only
with --fetch are they fetched from s3://, gs://, http:// or https://.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.withCatalog(cmd, func(c config.Config, keep *catalog.Catalog) error {
				if name == "" {
					name = nameOf(args[0])
				}
				if err := catalog.CheckName(name); err != nil {
					return err
				}
				if fetch {
					f := newDatasetFetcher(cmd.Context(), app, filepath.Join(c.Home, "cache", "fetched"))
					defer f.close()
					o.Fetch = f.fetch
				}
				found, err := open.Dataset(args[0], o)
				if err != nil {
					return err
				}
				root, err := rootOf(args[0])
				if err != nil {
					return err
				}
				b := newBar(cmd.ErrOrStderr(), len(found.Set.Images))
				i, err := keep.Import(cmd.Context(), name, found, catalog.Options{Source: args[0], Root: root, Step: b.step})
				b.done()
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(i)
				}
				printImport(cmd, i)
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&name, "name", "", "`name` to keep it under (default the folder's or file's)")
	fl.BoolVar(&fetch, "fetch", false, "fetch pictures that are named by URL and are not here")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	addDatasetFlags(fl, &o)
	return cmd
}

// nameOf makes a name of a path.
func nameOf(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	base := filepath.Base(path)
	if at, err := os.Stat(path); err == nil && !at.IsDir() {
		base = strings.TrimSuffix(base, filepath.Ext(base))
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(base))
}

// rootOf returns the folder of a data set.
func rootOf(path string) (string, error) {
	at, err := os.Stat(path)
	if err != nil || at.IsDir() {
		return path, err
	}
	return filepath.Dir(path), nil
}

func printImport(cmd *cobra.Command, i *catalog.Imported) {
	w := cmd.OutOrStdout()
	what := fmt.Sprintf("%d pictures", i.Images)
	if i.Objects > 0 {
		what += fmt.Sprintf(", %d objects", i.Objects)
	}
	if i.Masks > 0 {
		what += fmt.Sprintf(", %d masks", i.Masks)
	}
	if i.Unchanged {
		fmt.Fprintf(w, "%s is the same already: %s\n", i.Ref(), what)
	} else {
		fmt.Fprintf(w, "%s: %s, %d classes, read as %s; %d new files, %s\n", i.Ref(), what, len(i.Classes), i.Format, i.NewFiles, bytesText(i.NewBytes))
	}
	printLines(w, "left out", lines(i.Dropped))
}

func newDatasetListCmd(app *App) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the data sets that were imported, the newest version of each first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withCatalog(cmd, func(_ config.Config, keep *catalog.Catalog) error {
				all, err := keep.List()
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(append([]*catalog.Header{}, all...))
				}
				if len(all) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "no data set was imported yet: trilobite dataset import PATH")
					return nil
				}
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
				fmt.Fprintln(t, "DATASET\tPICTURES\tOBJECTS\tMASKS\tCLASSES\tSIZE\tIMPORTED\tFROM")
				for _, h := range all {
					fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", h.Ref(), h.Images, h.Objects, h.Masks, len(h.Classes), bytesText(h.Bytes),
						h.Created.Local().Format(time.DateTime), h.Source)
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newDatasetRemoveCmd(app *App) *cobra.Command {
	var keepFiles bool
	cmd := &cobra.Command{
		Use:   "rm NAME...",
		Short: "Remove an imported data set (name) or one version of it (name@version), and the pictures of no other",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.withCatalog(cmd, func(_ config.Config, keep *catalog.Catalog) error {
				for _, ref := range args {
					removed, err := keep.Remove(ref)
					for _, r := range removed {
						fmt.Fprintln(cmd.OutOrStdout(), "removed", r)
					}
					if err != nil {
						return err
					}
				}
				if keepFiles {
					return nil
				}
				gone, err := keep.Collect(cmd.Context(), 0)
				if err == nil && gone.Files > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "removed %d files, %s\n", gone.Files, bytesText(gone.Bytes))
				}
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&keepFiles, "keep-files", false, "leave the pictures in the blob store, which other homes share")
	return cmd
}
