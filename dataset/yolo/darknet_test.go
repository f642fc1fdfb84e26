package yolo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
	"trilobite/geom"
)

// below finds what lists name below dir, as CVAT writes them: with data/ before it.
func below(dir string) Find {
	return func(name string) (string, error) {
		path := filepath.Join(dir, strings.TrimPrefix(name, "data/"))
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("there is no %s", name)
		}
		return path, nil
	}
}

func TestReadDarknet(t *testing.T) {
	t.Parallel()
	dir := treetest.New(t, map[string]string{
		"obj.data":             "classes = 2\ntrain = data/train.txt\nvalid=valid.txt\nnames = data/obj.names\nbackup = backup/\n",
		"obj.names":            "person\ndog\n\n",
		"train.txt":            "data/obj_train_data/a.png\ndata/obj_train_data/gone.png\ndata/obj_train_data/a.png\n",
		"valid.txt":            "data/images/b.png\r\n",
		"obj_train_data/a.png": "",
		"obj_train_data/a.txt": "1 0.5 0.5 0.5 0.25\n7 0 0 1 1\n",
		"images/b.png":         "",
		"labels/b.txt":         "0 0.5 0.5 1 1\n",
	})
	got, err := ReadDarknet(filepath.Join(dir, "obj.data"), below(dir), func(string) (int, int, error) { return 200, 100, nil })
	if err != nil {
		t.Fatal(err)
	}
	want := []dataset.Image{
		{File: filepath.Join(dir, "obj_train_data/a.png"), Split: "train", W: 200, H: 100, Objects: []dataset.Object{
			{Class: 1, Box: geom.Rect{X: 50, Y: 37.5, W: 100, H: 25}, Area: 2500},
		}},
		{File: filepath.Join(dir, "images/b.png"), Split: "val", W: 200, H: 100, Objects: []dataset.Object{
			{Class: 0, Box: geom.Rect{W: 200, H: 100}, Area: 20000},
		}},
	}
	if diff := cmp.Diff(want, got.Images, treetest.Unplaced()); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	dropped := []string{
		"obj_train_data/a.txt:2: class 7, there are 2",
		"train.txt:2: there is no data/obj_train_data/gone.png",
		"train.txt:3: data/obj_train_data/a.png is listed before",
	}
	if diff := cmp.Diff(dropped, treetest.Dropped(got, dir)); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"person", "dog"}, got.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}

func TestReadDarknetRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, names, want string }{
		{"no names", "train = train.txt", "a", "names of obj.data: the file does not say"},
		{"names out of the folder", "names = ../../etc/passwd\ntrain = train.txt", "a", `"../../etc/passwd": file does not exist`},
		{"empty names", "names = obj.names\ntrain = train.txt", "", "obj.names has 0 names"},
		{"no list", "names = obj.names", "a", "it needs train, valid or test"},
		{"a list that is not there", "names = obj.names\ntrain = other.txt", "a", `train of obj.data: "other.txt": file does not exist`},
		{"no key", "names obj.names", "a", "line 1 is no key = value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, map[string]string{"obj.data": tt.data, "obj.names": tt.names, "train.txt": ""})
			_, err := ReadDarknet(filepath.Join(dir, "obj.data"), below(dir), nil)
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir+"/", ""), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
