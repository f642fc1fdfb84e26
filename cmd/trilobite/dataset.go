package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trilobite"
	"trilobite/blobs"
	"trilobite/config"
	"trilobite/dataset"
	"trilobite/dataset/catalog"
	"trilobite/dataset/open"
)

func newDatasetCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dataset",
		Short: "Labelled data sets: look at them, check, divide, keep, and write them in other formats",
		Long: `A DATASET is a folder or a file of any format in docs/datasets.md, or the name of one that was
imported: cells, or cells@2 for its second version. What is there as a path is the path.`,
	}
	cmd.AddCommand(newDatasetShowCmd(app), newDatasetExportCmd(app), newDatasetImportCmd(app), newDatasetListCmd(app), newDatasetRemoveCmd(app),
		newDatasetCheckCmd(app), newDatasetSplitCmd(app), newDatasetStatsCmd(app))
	return cmd
}

// openDataset opens the data set that a person names: a folder, a file, or one that was
// imported.
func openDataset(cmd *cobra.Command, c config.Config, ref string, o open.Options) (*open.Found, error) {
	if isPath(ref) {
		return open.Dataset(ref, o)
	}
	return openImported(cmd, c, ref, o)
}

// isPath reports whether ref is a path, rather than the name of an imported data set.
func isPath(ref string) bool {
	_, err := os.Stat(ref)
	return !errors.Is(err, fs.ErrNotExist) || !catalog.IsRef(ref)
}

// openImported opens an imported data set.
func openImported(cmd *cobra.Command, c config.Config, ref string, o open.Options) (*open.Found, error) {
	keep, done, err := openCatalog(cmd.Context(), c)
	if err != nil {
		return nil, err
	}
	defer done()
	if _, err := keep.Get(ref); trilobite.CodeOf(err) == trilobite.NotFound {
		return nil, &trilobite.Error{Op: "dataset", Code: trilobite.NotFound, Msg: fmt.Sprintf("There is no file or folder %s, and no imported data set of that name; `trilobite dataset list` shows those.", ref)}
	}
	if o.Format+o.Images+o.Labels+o.Classes != "" {
		return nil, fmt.Errorf("%s is an imported data set: --format, --images, --labels and --classes are for folders and files", ref)
	}
	found, _, err := keep.Open(cmd.Context(), ref)
	return found, err
}

// openDataset is the function of that name with the settings in force.
func (a *App) openDataset(cmd *cobra.Command, ref string, o open.Options) (*open.Found, error) {
	c, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	return openDataset(cmd, c, ref, o)
}

// scanDataset is openDataset as open.Scan is open.Dataset.
func (a *App) scanDataset(cmd *cobra.Command, ref string, o open.Options, use func(*dataset.Image)) (*open.Found, error) {
	c, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	if isPath(ref) {
		return open.Scan(ref, o, use)
	}
	found, err := openImported(cmd, c, ref, o)
	if err != nil {
		return nil, err
	}
	for i := range found.Set.Images {
		use(&found.Set.Images[i])
	}
	return found, nil
}

// openCatalog opens the imported data sets of the home.
func openCatalog(ctx context.Context, c config.Config) (keep *catalog.Catalog, done func(), err error) {
	var store *blobs.Store
	if c.Datasets.URL == "" {
		store, err = blobs.OpenFolder(ctx, filepath.Join(c.Home, "blobs"))
	} else {
		store, err = blobs.Open(ctx, c.Datasets.URL, filepath.Join(c.Home, "cache", "blobs"))
	}
	if err != nil {
		return nil, nil, err
	}
	return catalog.New(c.Home, store), func() { _ = store.Close() }, nil
}

// withCatalog runs f with the imported data sets of the home.
func (a *App) withCatalog(cmd *cobra.Command, f func(c config.Config, keep *catalog.Catalog) error) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	keep, done, err := openCatalog(cmd.Context(), c)
	if err != nil {
		return err
	}
	defer done()
	return f(c, keep)
}

// addDatasetFlags declares where a data set's parts are when they are not where they
// usually are.
func addDatasetFlags(f *pflag.FlagSet, o *open.Options) {
	f.StringVar(&o.Format, "format", "", "`format` of the data set, if it is not to be recognised")
	f.StringVar(&o.Images, "images", "", "`folder` of images, if it is not images/ beside the labels")
	f.StringVar(&o.Labels, "labels", "", "`folder` of YOLO label files")
	f.StringVar(&o.Classes, "classes", "", "`file` with the classes' names: YAML of YOLO, a table of masks")
}
