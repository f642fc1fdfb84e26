package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/coco"
	"trilobite/dataset/csvlabels"
	"trilobite/dataset/yolo"
	"trilobite/imageio"
)

// datasetFlags say where a data set's parts are when they are not where they usually
// are.
type datasetFlags struct {
	images, labels, classes string
}

// openDataset reads a labelled set: a COCO .json, a .csv with a heading, or a folder
// with images/ and either labels.csv or YOLO's labels/ and a YAML file of names.
// byIndex says that its class numbers are the model's own.
func openDataset(path string, f datasetFlags) (set *dataset.Set, byIndex bool, err error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	dir := path
	if !at.IsDir() {
		dir = filepath.Dir(path)
	}
	images := filepath.Join(dir, "images")
	if f.images != "" {
		images = f.images
	}
	if at.IsDir() {
		if list := filepath.Join(dir, "labels.csv"); f.labels == "" && exists(list) {
			path = list
		}
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		set, err = coco.Read(path, images)
	case ".csv":
		return openCSV(path, images)
	default:
		set, err = openYOLO(dir, images, f)
	}
	return set, false, err
}

// openCSV reads a list with a column file and a class, by name or by number.
func openCSV(path, images string) (*dataset.Set, bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	heading, err := csv.NewReader(bufio.NewReader(f)).Read()
	if err != nil {
		return nil, false, fmt.Errorf("reading the heading of %s: %w", path, err)
	}
	pick := func(names ...string) string {
		for _, n := range names {
			if slices.Contains(heading, n) {
				return n
			}
		}
		return ""
	}
	c := csvlabels.Columns{File: pick("file", "image", "filename"), Name: pick("name", "label", "class"), Index: pick("index", "imagenet_index", "class_index")}
	if c.File == "" || c.Name == "" && c.Index == "" {
		return nil, false, fmt.Errorf("%s has columns %s; it needs file and either name or index", path, strings.Join(heading, ", "))
	}
	set, err := csvlabels.Read(path, images, c)
	return set, c.Index != "", err
}

func openYOLO(dir, images string, f datasetFlags) (*dataset.Set, error) {
	l := yolo.Layout{Images: images, Labels: filepath.Join(dir, "labels"), Classes: f.classes}
	if f.labels != "" {
		l.Labels = f.labels
	}
	if !exists(l.Labels) {
		return nil, fmt.Errorf("%s holds neither labels.csv nor labels/; name a COCO .json, a .csv, or YOLO's folder with --labels", dir)
	}
	if l.Classes == "" {
		found, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil || len(found) != 1 {
			return nil, fmt.Errorf("%s holds %d YAML files; name the one with the classes with --classes", dir, len(found))
		}
		l.Classes = found[0]
	}
	return yolo.Read(l, imageSize)
}

// imageSize returns an image's upright size from its header.
func imageSize(path string) (w, h int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	header, err := imageio.Probe(data)
	return header.W, header.H, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
