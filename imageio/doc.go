// Package imageio turns the bytes of untrusted image files into upright 8-bit sRGB
// pixels, resizes them the way models were trained to expect, and writes PNG and JPEG.
//
// Decoding is libvips, called through cgo; BMP, which the shipped libvips cannot
// read, is read in Go. What a file is, is decided by its first bytes (sniff.go); only
// the decoder of that one format is then called, so SVG, PDF, ImageMagick and text
// loaders are out of reach whatever libvips was built with. The header is read and
// held against Limits before a pixel is decoded.
//
// What comes out is always the same thing: the first frame or page, EXIF orientation
// applied, embedded ICC profiles and CMYK, grey, 16-bit and palette pixels converted
// to 8-bit sRGB, alpha flattened on white. A file cut short is an error, not a
// picture with a grey end.
//
// Start at decode.go; resize.go has the filters, gate.go the admission by memory. A Flow
// (flow.go) chains operations of libvips; arrive.go lets one run while the file is decoded.
// Animations, page choice, metadata and lossless round trips are out of scope.
package imageio
