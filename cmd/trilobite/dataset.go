package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trilobite/dataset/open"
)

func newDatasetCmd(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "dataset", Short: "Labelled data sets: look at them and write them in other formats"}
	cmd.AddCommand(newDatasetShowCmd(app), newDatasetExportCmd(app))
	return cmd
}

// openDataset opens the data set that a person names: a folder or a file.
func (a *App) openDataset(_ *cobra.Command, ref string, o open.Options) (*open.Found, error) {
	return open.Dataset(ref, o)
}

// addDatasetFlags declares where a data set's parts are when they are not where they
// usually are.
func addDatasetFlags(f *pflag.FlagSet, o *open.Options) {
	f.StringVar(&o.Format, "format", "", "`format` of the data set, if it is not to be recognised")
	f.StringVar(&o.Images, "images", "", "`folder` of images, if it is not images/ beside the labels")
	f.StringVar(&o.Labels, "labels", "", "`folder` of YOLO label files")
	f.StringVar(&o.Classes, "classes", "", "`file` with the classes' names: YAML of YOLO, a table of masks")
}
