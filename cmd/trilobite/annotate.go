package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"trilobite"
	"trilobite/geom"
	"trilobite/imageio"
)

// maxAnnotated is the shorter side, in pixels, above which a picture is shrunk for its
// annotated copy, which is for looking at.
const maxAnnotated = 1200

// nameCopies says where each source's annotated copy goes, all in one folder.
func nameCopies(sources []source, folder string) {
	for i, name := range pngNames(sources, annotatedName) {
		sources[i].annotated = filepath.Join(folder, name)
	}
}

// pngNames returns a name for a PNG of each source, base(name).png: what has the name of
// one before, from another folder, gets a number.
func pngNames(sources []source, base func(string) string) []string {
	names := make([]string, len(sources))
	taken := map[string]bool{}
	for i, s := range sources {
		names[i] = base(s.name) + ".png"
		for n := 2; taken[names[i]]; n++ {
			names[i] = fmt.Sprintf("%s-%d.png", base(s.name), n)
		}
		taken[names[i]] = true
	}
	return names
}

// annotatedName turns an image's name into the PNG's, without ".png": photos/a.jpg
// becomes a.jpg, so that a.jpg and a.webp do not collide.
func annotatedName(name string) string {
	if name == "-" {
		return "stdin"
	}
	if u, err := url.Parse(name); err == nil && isURL(name) {
		name = u.Path
	}
	base := filepath.Base(name)
	if base == "." || base == "/" {
		return "image"
	}
	return base
}

// draw writes a copy of the picture with boxes, names and scores.
func draw(ctx context.Context, path string, image []byte, a *trilobite.Analysis) error {
	img, err := imageio.Decode(ctx, image, imageio.Options{MinSide: maxAnnotated})
	if err != nil {
		return err
	}
	marks := make([]imageio.Mark, 0, len(a.Detections))
	for _, d := range a.Detections {
		marks = append(marks, imageio.Mark{
			Box:   d.Box,
			Text:  fmt.Sprintf("%s %.0f%%", d.Name, d.Score*100),
			Class: d.Class,
		})
	}
	if len(marks) == 0 {
		marks = captions(a)
	}
	drawn, err := img.Draw(marks)
	if err != nil {
		return err
	}
	png, err := drawn.EncodePNG()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// captions frames the whole picture with its best labels, where nothing has a box.
func captions(a *trilobite.Analysis) []imageio.Mark {
	var names []string
	for _, l := range a.Labels {
		if len(names) < 4 {
			names = append(names, fmt.Sprintf("%s %.0f%%", l.Name, l.Score*100))
		}
	}
	if len(names) == 0 {
		return nil
	}
	whole := geom.Box{X2: float32(a.Width), Y2: float32(a.Height)}
	return []imageio.Mark{{Box: whole, Text: strings.Join(names, ", ")}}
}
