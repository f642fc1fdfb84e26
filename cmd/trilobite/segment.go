package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"trilobite"
	"trilobite/config"
	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/segment"
	"trilobite/zoo"
)

// segmentFlags say what `segment` makes of a mask. Folders are empty where nothing is
// written.
type segmentFlags struct {
	model, masks, overlays, confidence string
	json                               bool
	tolerance                          float64
}

func newSegmentCmd(app *App) *cobra.Command {
	var f segmentFlags
	cmd := &cobra.Command{
		Use:   "segment IMAGE|DIR|GLOB|URL|- ... --model NAME",
		Short: "Say what each pixel shows: masks, overlays, areas, outlines",
		Long: `Names every pixel with a segmentation model. Files are called as their image, with the
ending .png: masks hold class indices in a palette, at the image's upright size; confidence is
grey, 0 to 255. With --json each image is a line with the area, the outlines and the mask of each
class, the latter as COCO's run lengths (pycocotools.mask.decode reads them).`,
		Example: "  trilobite segment --model road street.jpg --masks masks --overlays out\n  trilobite segment --model road photos/ --json > areas.jsonl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(f.tolerance >= 0) {
				return fmt.Errorf("--tolerance is %v; it is 0 or more pixels", f.tolerance)
			}
			return segmentAll(cmd, app, args, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", "", "segmentation model, `name` or name@version")
	flags.StringVar(&f.masks, "masks", "", "write class indices as PNG into this `folder`")
	flags.StringVar(&f.overlays, "overlays", "", "write the picture with its classes in colour into this `folder`")
	flags.StringVar(&f.confidence, "confidence", "", "write how sure the model is as grey PNG into this `folder`")
	flags.BoolVar(&f.json, "json", false, "print JSON Lines, one object per image")
	flags.Float64Var(&f.tolerance, "tolerance", 1, "`pixels` that --json's outlines may be off, for fewer points")
	cobra.CheckErr(cmd.MarkFlagRequired("model"))
	return cmd
}

// segmentAll segments every image the arguments name and prints the answers in their
// order. A bad image is reported and the rest goes on.
func segmentAll(cmd *cobra.Command, app *App, args []string, f segmentFlags) error {
	ctx := cmd.Context()
	sources, err := expand(args, cmd.InOrStdin(), app.fetch)
	if err != nil {
		return err
	}
	if err := namePictures(sources, f); err != nil {
		return err
	}
	c, err := app.config(cmd)
	if err != nil {
		return err
	}
	s, err := openSegmenter(ctx, c, f.model)
	if err != nil {
		return err
	}
	defer s.close()
	show := newMaskPrinter(cmd.OutOrStdout(), f, len(sources) > 1)
	bar := newBar(cmd.ErrOrStderr(), len(sources))
	defer bar.done()
	failed := 0
	for seen := range inOrder(ctx, sources, s.cores, func(src source) segmented { return s.see(ctx, src, f) }) {
		bar.step()
		if seen.err != nil {
			failed++
			if !f.json {
				bar.beside(func(w io.Writer) { fmt.Fprintf(w, "%s: %s\n", seen.name, errorText(seen.err)) })
			}
		}
		if err := show.print(seen); err != nil {
			return err
		}
	}
	return outcome(ctx, failed, len(sources))
}

// pictures are the files that are made of one image; empty paths: none.
type pictures struct {
	mask, overlay, confidence string
}

// namePictures makes the folders and says which files each source's pictures go to. None
// may be one of the sources.
func namePictures(sources []source, f segmentFlags) error {
	folders := map[string]string{} // by absolute path
	for _, out := range [][2]string{{"--masks", f.masks}, {"--overlays", f.overlays}, {"--confidence", f.confidence}} {
		if out[1] == "" {
			continue
		}
		path, err := filepath.Abs(out[1])
		if err != nil {
			return err
		}
		if other, ok := folders[path]; ok {
			return fmt.Errorf("%s and %s are both %s, where their files have the same names; give each a folder", other, out[0], out[1])
		}
		folders[path] = out[0]
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	in := func(folder, name string) string {
		if folder == "" {
			return ""
		}
		return filepath.Join(folder, name)
	}
	for i, name := range pngNames(sources, stem) {
		sources[i].pictures = pictures{in(f.masks, name), in(f.overlays, name), in(f.confidence, name)}
		if source, err := filepath.Abs(sources[i].name); err == nil && folders[filepath.Dir(source)] != "" && filepath.Base(source) == name {
			return fmt.Errorf("%s would overwrite the image %s; name another folder", folders[filepath.Dir(source)], sources[i].name)
		}
	}
	return nil
}

// stem is an image's name without folder and ending.
func stem(name string) string {
	base := annotatedName(name)
	if s := strings.TrimSuffix(base, filepath.Ext(base)); s != "" {
		return s
	}
	return base
}

// segmenter is a loaded segmentation model and what its images need.
type segmenter struct {
	*segment.Segmenter
	card   zoo.Model
	model  *ort.Model
	gate   *imageio.Gate
	limits imageio.Limits
	cores  int
}

func openSegmenter(ctx context.Context, c config.Config, ref string) (*segmenter, error) {
	card, err := zoo.NewStore(c.Home).Get(ref)
	if err != nil {
		return nil, err
	}
	if card.Task != zoo.Segment {
		return nil, &trilobite.Error{Op: "segment", Code: trilobite.Unsupported, Msg: fmt.Sprintf("Model %s has task %s; use `trilobite %s`.", card.Ref(), card.Task, map[string]string{zoo.Detect: "detect", zoo.Classify: "label"}[card.Task])}
	}
	labels, err := card.ReadLabels()
	if err != nil {
		return nil, err
	}
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return nil, err
	}
	m, err := rt.Load(ctx, card.GraphFile(), ort.Options{Name: card.Name, Provider: c.ORT.Provider, Device: c.ORT.Device})
	if err != nil {
		return nil, fmt.Errorf("loading model %s: %w", card.Ref(), err)
	}
	s, err := segment.New(m, segment.Config{Pipeline: card.Pipeline, Decoder: card.Decoder.Name, Labels: labels.Names()})
	if err != nil {
		_ = m.Close()
		return nil, err
	}
	return &segmenter{s, card, m, imageio.NewGate(c.Limits.Memory, rt.Cores()), imageio.Limits{Pixels: int(c.Limits.Pixels)}, rt.Cores()}, nil
}

func (s *segmenter) close() { _ = s.model.Close() }

// see segments one image and writes its pictures.
func (s *segmenter) see(ctx context.Context, src source, f segmentFlags) segmented {
	seen := segmented{name: src.name, model: s.card.Ref(), files: src.pictures}
	data, err := src.read(ctx)
	if err != nil {
		seen.err = err
		return seen
	}
	o := s.Loading()
	if src.pictures.overlay != "" { // it is drawn over the picture as it is
		o = imageio.Options{}
	}
	o.Limits = s.limits
	img, release, err := s.gate.Decode(ctx, data, o)
	if err != nil {
		seen.err = err
		return seen
	}
	defer release()
	m, err := s.Segment(ctx, img)
	if err != nil {
		seen.err = err
		return seen
	}
	seen.width, seen.height, seen.parts = m.W, m.H, m.Parts()
	if f.json {
		seen.regions = m.Regions(f.tolerance)
		seen.runs = m.RLE()
	}
	seen.err = src.pictures.write(m, img)
	return seen
}

// write makes the pictures.
func (p pictures) write(m *segment.Mask, img *imageio.Image) error {
	for _, out := range []struct {
		path   string
		encode func() ([]byte, error)
	}{
		{p.mask, m.EncodePNG},
		{p.confidence, m.EncodeConfidencePNG},
		{p.overlay, func() ([]byte, error) {
			drawn, err := m.Overlay(img)
			if err != nil {
				return nil, err
			}
			return drawn.EncodePNG()
		}},
	} {
		if out.path == "" {
			continue
		}
		data, err := out.encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(out.path, data, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", out.path, err)
		}
	}
	return nil
}
