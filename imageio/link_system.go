//go:build system_vips

package imageio

// A libvips of the system, 8.15 or later, found by pkg-config: go build -tags system_vips.

/*
#cgo pkg-config: vips
*/
import "C"
