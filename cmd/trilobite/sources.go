package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxImageFile bounds one image file: 256 MiB, far above any camera's.
const maxImageFile = 256 << 20

// imageNames returns the endings that a folder is searched for. A file named on the
// command line is tried whatever its ending.
func imageNames() []string {
	return []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif"}
}

// source is one image to look at.
type source struct {
	name      string // as people know it: path, URL or "-"
	read      func(ctx context.Context) ([]byte, error)
	annotated string // path of its annotated copy; empty: none
	pictures  pictures
}

// fetcher reads an image by URL.
type fetcher func(ctx context.Context, url string) ([]byte, error)

// expand turns the command line's arguments into images: files, folders (searched
// recursively), globs, http(s) URLs and "-" for standard input. A pattern that
// matches nothing is an error; a file that is missing is reported when it is read.
func expand(args []string, stdin io.Reader, fetch fetcher) ([]source, error) {
	var all []source
	for _, arg := range args {
		found, err := expandOne(arg, stdin, fetch)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func expandOne(arg string, stdin io.Reader, fetch fetcher) ([]source, error) {
	if arg == "-" {
		return []source{{name: "-", read: func(context.Context) ([]byte, error) { return limited(stdin) }}}, nil
	}
	if isURL(arg) {
		return []source{{name: arg, read: func(ctx context.Context) ([]byte, error) { return fetch(ctx, arg) }}}, nil
	}
	at, err := os.Stat(arg)
	if err == nil && at.IsDir() {
		return folder(arg)
	}
	if err == nil || !strings.ContainsAny(arg, "*?[") {
		return []source{fileSource(arg)}, nil
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", arg, err)
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("nothing matches %s", arg)
	}
	var all []source
	for _, m := range matches {
		all = append(all, fileSource(m))
	}
	return all, nil
}

func isURL(arg string) bool {
	return strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://")
}

// folder lists the images under dir in name order.
func folder(dir string) ([]source, error) {
	var all []source
	names := imageNames()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && slices.Contains(names, strings.ToLower(filepath.Ext(path))) {
			all = append(all, fileSource(path))
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("folder %s holds no image (%s)", dir, strings.Join(names, " "))
	}
	return all, err
}

func fileSource(name string) source {
	return source{name: name, read: func(context.Context) ([]byte, error) {
		f, err := os.Open(name)
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			return nil, at.Err // whoever reports it names the file
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(f)
	}}
}

func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxImageFile+1))
	if err == nil && len(data) > maxImageFile {
		err = fmt.Errorf("larger than %d MiB", maxImageFile>>20)
	}
	return data, err
}
