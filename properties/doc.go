// Package properties measures pictures without a model: brightness, sharpness and
// contrast, dominant colours, foreground against background, and crops that keep what
// stands out. docs/image-properties.md defines every figure.
//
// It works on samples and thumbnails of at most a few hundred pixels a side, so that
// it costs milliseconds whatever the picture's size. The same pixels always give the
// same answer: nothing is random.
//
// Start at analyze.go. colors.go clusters colours, salience.go finds what stands out,
// crop.go uses it.
package properties
