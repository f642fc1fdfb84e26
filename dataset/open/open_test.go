package open

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trilobite/dataset"
	"trilobite/dataset/internal/treetest"
)

// picture is a PNG of 4×2 black pixels, but for one of value 1.
func picture(t testing.TB) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 4, 2))
	m.Pix[3] = 1
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	xmlText  = `<annotation><size><width>4</width><height>2</height></size><object><name>dog</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>`
	cocoText = `{"info": {}, "images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "dog"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}]}`
	viaText  = `{"a": {"filename": "a.png", "size": 1, "regions": []}}`
	project  = `{"_via_settings": {}, "_via_img_metadata": ` + viaText + `}`
	meText   = `{"version": "5", "shapes": [], "imagePath": "a.png"}`
	boxLine  = `{"source-ref": "b.png", "x": {"annotations": [{"class_id": 0, "left": 0, "top": 0, "width": 2, "height": 1}]}, "x-metadata": {"class-map": {"0": "cat"}, "type": "groundtruth/object-detection"}}`
	line     = `{"source-ref": "s3://b/a.png", "x": 1, "x-metadata": {"class-name": "dog", "type": "groundtruth/image-classification"}}`
)

// cvatText is CVAT's file of a picture.
func cvatText(name string) string {
	return `<annotations><image name="` + name + `.png" width="4" height="2"><tag label="dog"/></image></annotations>`
}

func TestDataset(t *testing.T) {
	t.Parallel()
	p := picture(t)
	tests := []struct {
		name, path string
		files      map[string]string
		options    Options // folders are below the set
		want       string
	}{
		{"folders", "", map[string]string{"dog/a.png": p, "cat/b.png": p}, Options{}, "folders"},
		{"folders with splits", "", map[string]string{"train/dog/a.png": p, "test/dog/b.png": p}, Options{}, "folders"},
		{"a list", "x.csv", map[string]string{"x.csv": "file,label\na.png,dog\n", "images/a.png": p}, Options{}, "csv"},
		{"a list in the folder", "", map[string]string{"labels.csv": "file,label\na.png,dog\n", "images/a.png": p}, Options{}, "csv"},
		{"COCO's file", "x.json", map[string]string{"x.json": cocoText, "images/a.png": p}, Options{}, "coco"},
		{"COCO's file in the folder", "", map[string]string{"x.json": cocoText, "a.png": p}, Options{}, "coco"},
		{"COCO's folder of annotations", "", map[string]string{"annotations/instances.json": cocoText, "images/a.png": p}, Options{}, "coco"},
		{"VIA", "x.json", map[string]string{"x.json": viaText, "images/a.png": p}, Options{}, "via"},
		{"a project of VIA beside other JSON", "", map[string]string{"x.json": project, "y.json": "{}", "a.png": p}, Options{}, "via"},
		{"VOC", "", map[string]string{"Annotations/a.xml": xmlText, "JPEGImages/a.png": p}, Options{}, "voc"},
		{"XML files beside pictures", "", map[string]string{"a.xml": xmlText, "a.png": p}, Options{}, "voc"},
		{"YOLO", "", map[string]string{"labels/a.txt": "0 0.5 0.5 0.5 0.5", "images/a.png": p, "data.yaml": "names: [dog]"}, Options{}, "yolo"},
		{"YOLO by its YAML file", "data.yaml", map[string]string{"labels/a.txt": "", "images/a.png": p, "data.yaml": "names: [dog]", "other.yaml": ""}, Options{}, "yolo"},
		{"YOLO, splits inside", "", map[string]string{"labels/train/a.txt": "", "images/train/a.png": p, "data.yaml": "names: [dog]"}, Options{}, "yolo"},
		{"YOLO below splits", "", map[string]string{"valid/labels/a.txt": "", "valid/images/a.png": p, "data.yaml": "names: [dog]"}, Options{}, "yolo"},
		{"darknet's lists", "", map[string]string{"obj.data": "train = train.txt\nnames = obj.names", "obj.names": "dog", "train.txt": "data/obj_train_data/a.png", "obj_train_data/a.png": p, "obj_train_data/a.txt": "0 0.5 0.5 0.5 0.5"}, Options{}, "yolo"},
		{"darknet's lists by their file", "obj.data", map[string]string{"obj.data": "train = train.txt\nnames = obj.names", "obj.names": "dog", "train.txt": "x/a.png", "x/a.png": p}, Options{}, "yolo"},
		{"CVAT", "", map[string]string{"annotations.xml": cvatText("a"), "a.xml": xmlText, "images/a.png": p}, Options{}, "cvat"},
		{"several of CVAT's files", "", map[string]string{"job_1.xml": cvatText("a"), "job_2.xml": cvatText("b"), "images/a.png": p, "images/b.png": p}, Options{}, "cvat"},
		{"masks", "", map[string]string{"images/a.png": p, "masks/a.png": p}, Options{}, "masks"},
		{"masks beside polygons", "", map[string]string{"r_images/a.png": p, "r_masks/a.png": p, "x.json": viaText}, Options{}, "masks"},
		{"labelme", "", map[string]string{"a.json": meText, "a.png": p}, Options{}, "labelme"},
		{"labelme below splits", "", map[string]string{"train/a.json": meText, "train/a.png": p}, Options{}, "labelme"},
		{"COCO's own folder", "", map[string]string{"annotations/instances_train2017.json": cocoText, "annotations/captions_train2017.json": cocoText, "annotations/person_keypoints_train2017.json": cocoText, "images/a.png": p, "train2017/a.png": p}, Options{}, "coco"},
		{"a manifest", "x.manifest", map[string]string{"x.manifest": line, "pictures/a.png": p}, Options{}, "groundtruth"},
		{"classes that are not in the alphabet's order", "x.manifest", map[string]string{"x.manifest": line + "\n" + boxLine, "pictures/a.png": p, "pictures/b.png": p}, Options{}, "groundtruth"},
		{"a folder of manifests beside pictures", "manifests/x.manifest", map[string]string{"manifests/x.manifest": line, "pictures/a.png": p}, Options{}, "groundtruth"},
		{"what it is told", "", map[string]string{"images/a.png": p, "masks/a.png": p}, Options{Format: "folders"}, "folders"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := treetest.New(t, tt.files)
			got, err := Dataset(filepath.Join(dir, tt.path), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if got.Format != tt.want || len(got.Set.Images) == 0 {
				t.Errorf("%s with %d images, want %s", got.Format, len(got.Set.Images), tt.want)
			}
			for _, img := range got.Set.Images {
				if _, err := os.Stat(img.File); err != nil {
					t.Error(err)
				}
			}
			sameScanned(t, got, filepath.Join(dir, tt.path), tt.options)
		})
	}
}

// sameScanned fails where Scan shows something else than a set has that was read whole.
func sameScanned(t *testing.T, whole *Found, path string, o Options) {
	t.Helper()
	var images []dataset.Image
	scanned, err := Scan(path, o, func(img *dataset.Image) { images = append(images, *img) })
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range images {
		for i, c := range img.Classes {
			if scanned.Numbers != nil {
				img.Classes[i] = scanned.Numbers[c]
			}
		}
		for i, o := range img.Objects {
			if scanned.Numbers != nil {
				img.Objects[i].Class = scanned.Numbers[o.Class]
			}
		}
	}
	scanned.Set.Images, scanned.Numbers = images, nil
	if diff := cmp.Diff(whole, scanned); diff != "" {
		t.Errorf("Scan (-want +got):\n%s", diff)
	}
}

func TestDatasetRefuses(t *testing.T) {
	t.Parallel()
	p := picture(t)
	tests := []struct {
		name, path string
		files      map[string]string
		options    Options
		want       string
	}{
		{"nothing there", "nowhere", nil, Options{}, "no such file"},
		{"nothing it knows", "", map[string]string{"a.txt": ""}, Options{}, "looked for\n  automl       AutoML"},
		{"pictures without labels", "", map[string]string{"a.png": p, "b.png": p}, Options{}, "of a format that is recognised"},
		{"two JSON files", "", map[string]string{"x.json": cocoText, "y.json": cocoText, "a.png": p}, Options{}, "of a format that is recognised"},
		{"an unknown format", "", map[string]string{"dog/a.png": p}, Options{Format: "parquet"}, `format "parquet" is none of automl, csv, groundtruth`},
		{"YOLO without names", "", map[string]string{"labels/a.txt": "", "images/a.png": p}, Options{}, "holds 0 YAML files; name the one"},
		{"the wrong format", "", map[string]string{"dog/a.png": p}, Options{Format: "voc"}, "as voc: "},
		{"a list without classes", "x.csv", map[string]string{"x.csv": "file,size\n"}, Options{}, "has columns file, size; it needs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Dataset(filepath.Join(treetest.New(t, tt.files), tt.path), tt.options)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestRealData reads data sets from the wild, where they are at hand.
func TestRealData(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TRILOBITE_DATA")
	if root == "" {
		t.Skip("TRILOBITE_DATA is not set")
	}
	tests := []struct {
		path, format             string
		images, classes, dropped int
	}{
		{"hymenoptera", "folders", 180, 2, 0},
		{"pizza_steak_sushi", "folders", 152, 3, 0},
		{"camvid", "masks", 130, 11, 0},
		{"sushi_seg", "masks", 28, 2, 0},
		{"bccd", "voc", 292, 3, 2},
		{"aws_cookies", "groundtruth", 63, 2, 0},
		{"aws_cookies/dataset-files/manifests/template.manifest", "groundtruth", 63, 2, 1},
		{"imagenet200", "csv", 200, 996, 0},
		{"coco128/instances_train2017_first128.json", "coco", 128, 80, 0},
		{"sushi_seg/via_polygons.json", "via", 28, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			o := Options{}
			if strings.HasPrefix(tt.path, "sushi_seg/") {
				o.Images = filepath.Join(root, "sushi_seg/resized_images")
			}
			got, err := Dataset(filepath.Join(root, tt.path), o)
			if err != nil {
				t.Fatal(err)
			}
			s := got.Set
			if got.Format != tt.format || len(s.Images) != tt.images || len(s.Classes) != tt.classes || len(s.Dropped) != tt.dropped {
				t.Errorf("%s: %d images, %d classes, dropped %v, clipped %v; want %s: %d, %d, %d",
					got.Format, len(s.Images), len(s.Classes), s.Dropped, s.Clipped, tt.format, tt.images, tt.classes, tt.dropped)
			}
		})
	}
}
