package dataset

import "strings"

// Feature is a kind of thing that a data set may say and that not every format has a way
// to write down. A format's package declares what its own can as Says.
type Feature uint32

// The features.
const (
	Labels        Feature = 1 << iota // a label of the whole picture
	ManyLabels                        // several of them
	Boxes                             // objects by their boxes
	Polygons                          // objects by their outlines
	Parts                             // outlines in several parts
	Pixels                            // objects by their pixels
	OwnBoxes                          // a box that is not the bounds of its outline
	Areas                             // an area that is not that of outline or box
	Masks                             // a class for each pixel
	Parted                            // splits
	Crowds                            // Object.Crowd
	Difficult                         // Object.Difficult
	Truncated                         // Object.Truncated
	Occluded                          // Object.Occluded
	ClassOrder                        // an order of the classes other than the alphabet's
	UnusedClasses                     // classes that nothing is labelled with
	Unlabelled                        // pictures of which nothing is said
)

// featureNames are for people, in the order of the bits.
var featureNames = []string{
	"labels", "several labels", "boxes", "outlines", "outlines in parts", "objects' pixels", "boxes beside outlines", "areas",
	"masks", "splits", "crowds", "difficult", "truncated", "occluded", "class order", "unused classes", "pictures without labels",
}

// Features lists all, one by one.
func Features() []Feature {
	out := make([]Feature, len(featureNames))
	for i := range out {
		out[i] = 1 << i
	}
	return out
}

// Has reports whether all of other are among f.
func (f Feature) Has(other Feature) bool { return f&other == other }

// String names the features of f, with commas between them.
func (f Feature) String() string {
	var names []string
	for i, name := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
