//go:build tools

// Package lint pins the linter in a module of its own, so that its hundreds of
// dependencies stay out of the program's.
package lint

import _ "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"
