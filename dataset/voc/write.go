package voc

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trilobite/dataset"
	"trilobite/dataset/masks"
)

// Says is what the format can write down.
const Says = dataset.Boxes | dataset.Parted | dataset.Difficult | dataset.Truncated | dataset.Occluded | dataset.Unlabelled

type savedPicture struct {
	XMLName   xml.Name      `xml:"annotation"`
	Folder    string        `xml:"folder"`
	Filename  string        `xml:"filename"`
	Width     int           `xml:"size>width"`
	Height    int           `xml:"size>height"`
	Depth     int           `xml:"size>depth"`
	Segmented int           `xml:"segmented"`
	Objects   []savedObject `xml:"object"`
}

type savedObject struct {
	Name      string `xml:"name"`
	Pose      string `xml:"pose"`
	Truncated int    `xml:"truncated"`
	Difficult int    `xml:"difficult"`
	Occluded  int    `xml:"occluded"`
	XMin      string `xml:"bndbox>xmin"`
	YMin      string `xml:"bndbox>ymin"`
	XMax      string `xml:"bndbox>xmax"`
	YMax      string `xml:"bndbox>ymax"`
}

// Write writes Annotations/, JPEGImages/, labelmap.txt and, where the set has splits, ImageSets/Main/.
// Corners are written as Read takes them; they have decimals where the set's have.
func Write(out *dataset.Folder, s *dataset.Set) error {
	lists := map[string][]string{}
	for i := range s.Images {
		img := &s.Images[i]
		if err := out.Add(img.File, dataset.In(img.Name, "JPEGImages")); err != nil {
			return err
		}
		p := savedPicture{Folder: "JPEGImages", Filename: img.Name, Width: img.W, Height: img.H, Depth: 3}
		for _, o := range img.Objects {
			b := o.Box
			p.Objects = append(p.Objects, savedObject{
				Name: s.Classes[o.Class], Pose: "Unspecified", Truncated: number(o.Truncated), Difficult: number(o.Difficult), Occluded: number(o.Occluded),
				XMin: text(b.X), YMin: text(b.Y), XMax: text(b.X + b.W), YMax: text(b.Y + b.H),
			})
		}
		data, err := xml.MarshalIndent(p, "", "\t")
		if err != nil {
			return err
		}
		id := dataset.Stem(img.Name)
		if err := out.WriteFile(dataset.In(id+".xml", "Annotations"), append(data, '\n')); err != nil {
			return err
		}
		lists[img.Split] = append(lists[img.Split], id)
	}
	if err := writeLabelmap(out, s.Classes); err != nil {
		return err
	}
	for _, split := range dataset.Splits() {
		if len(lists[split]) == 0 {
			continue
		}
		err := out.Write(dataset.In(split+".txt", "ImageSets", "Main"), func(w *bufio.Writer) error {
			for _, id := range lists[split] {
				fmt.Fprintln(w, id)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeLabelmap writes labelmap.txt, which says what classes there are: CVAT and Datumaro take
// the challenge's own twenty where it is missing. A line is a name, a colour of masks, parts of
// bodies and actions, with colons between; names with a colon or a line's end cannot be said.
func writeLabelmap(out *dataset.Folder, classes []string) error {
	if slices.ContainsFunc(classes, func(name string) bool { return strings.ContainsAny(name, ":\r\n") || strings.HasPrefix(name, "#") }) {
		return nil
	}
	return out.Write("labelmap.txt", func(w *bufio.Writer) error {
		fmt.Fprintln(w, "# label:color_rgb:parts:actions")
		if !slices.Contains(classes, masks.Background) {
			classes = append([]string{masks.Background}, classes...)
		}
		for c, name := range classes {
			rgb := masks.Color(c)
			if name == masks.Background {
				rgb = [3]uint8{}
			}
			fmt.Fprintf(w, "%s:%d,%d,%d::\n", name, rgb[0], rgb[1], rgb[2])
		}
		return nil
	})
}

func number(flag bool) int {
	if flag {
		return 1
	}
	return 0
}

func text(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
