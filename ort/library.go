package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// LibraryVersion is the ONNX Runtime release that deps/ pins and tests run with.
const LibraryVersion = "1.32.0"

// LibraryEnv names the environment variable that points at the library file.
const LibraryEnv = "TRILOBITE_ORT_LIBRARY"

// libraryDir is where the pinned package lies below a checkout.
var libraryDir = filepath.Join(".deps", "ort", "lib")

// Find returns the path of the ONNX Runtime library. In order: the given path; the
// file that $TRILOBITE_ORT_LIBRARY names; beside the executable, in lib, in ../lib and
// in ../.deps/ort/lib; and for tests and `go run`, in .deps/ort/lib of the checkout
// that holds the working directory. An explicit path that is no file is an error, it
// does not fall through to the next place.
func Find(explicit string) (string, error) {
	named := []struct{ from, path string }{{"configuration", explicit}, {LibraryEnv, os.Getenv(LibraryEnv)}}
	for _, n := range named {
		if n.path == "" {
			continue
		}
		if _, err := os.Stat(n.path); err != nil {
			return "", fmt.Errorf("finding the ONNX Runtime library named by %s: %w", n.from, err)
		}
		return n.path, nil
	}
	var tried []string
	for _, dir := range libraryDirs() {
		tried = append(tried, dir)
		path, err := libraryIn(dir, runtime.GOOS)
		if err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no ONNX Runtime library %s in %q: run `make build`, or name the file in %s",
		libraryName(runtime.GOOS), tried, LibraryEnv)
}

// libraryDirs returns the folders Find looks into, without those that cannot be known.
func libraryDirs() []string {
	var dirs []string
	if exe, err := os.Executable(); err == nil {
		if target, err := filepath.EvalSymlinks(exe); err == nil {
			exe = target
		}
		bin := filepath.Dir(exe)
		dirs = append(dirs, bin, filepath.Join(bin, "lib"),
			filepath.Join(bin, "..", "lib"), filepath.Join(bin, "..", libraryDir))
	}
	if root, err := moduleRoot(); err == nil {
		dirs = append(dirs, filepath.Join(root, libraryDir))
	}
	return dirs
}

// moduleRoot returns the nearest folder at or above the working directory that holds
// a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = up
	}
}

// libraryName returns the file name of the pinned release on an operating system, as
// the PyPI wheels spell it.
func libraryName(goos string) string {
	switch goos {
	case "darwin":
		return "libonnxruntime." + LibraryVersion + ".dylib"
	case "windows":
		return "onnxruntime.dll"
	default:
		return "libonnxruntime.so." + LibraryVersion
	}
}

// libraryIn returns the library in dir: the pinned release, else the last by name of
// any other release, as a distribution's package would install it.
func libraryIn(dir, goos string) (string, error) {
	exact := filepath.Join(dir, libraryName(goos))
	if _, err := os.Stat(exact); err == nil {
		return exact, nil
	}
	pattern := "libonnxruntime.so*"
	if goos == "darwin" {
		pattern = "libonnxruntime*.dylib"
	}
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fs.ErrNotExist
	}
	return slices.Max(found), nil
}
