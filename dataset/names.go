package dataset

import (
	"path/filepath"
	"slices"
	"strings"
)

// The values of Image.Split.
const (
	Train = "train"
	Val   = "val"
	Test  = "test"
)

// Splits lists the values of Image.Split in their order.
func Splits() []string { return []string{Train, Val, Test} }

// SplitOf returns the split that a folder or file is named after, in the spellings that
// are in use, whatever their case.
func SplitOf(name string) (split string, ok bool) {
	switch strings.ToLower(name) {
	case "train", "training":
		return Train, true
	case "val", "valid", "validation":
		return Val, true
	case "test", "testing":
		return Test, true
	}
	return "", false
}

// imageExtensions are those of the formats that package imageio reads.
var imageExtensions = []string{".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

// IsImageName reports whether a file is a picture by its name.
func IsImageName(name string) bool {
	return slices.Contains(imageExtensions, strings.ToLower(filepath.Ext(name)))
}

// IsHidden reports whether a file or folder is none of the data: what operating systems,
// editors and version control leave behind.
func IsHidden(name string) bool {
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini", "__macosx":
		return true
	}
	return strings.HasPrefix(name, ".")
}
