package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/spf13/cobra"

	"trilobite/imageio"
	"trilobite/pipeline"
	"trilobite/zoo"
)

func newPreprocessCmd(app *App) *cobra.Command {
	var model, file, out string
	cmd := &cobra.Command{
		Use:   "preprocess IMAGE --model NAME -o OUT.png",
		Short: "Show what a model sees of a picture",
		Long: `Writes three pictures side by side, each 480 pixels high: as it is, after the pipeline's steps, and
as the model's input; where the pipeline cuts tiles, their edges are drawn and the inputs are those of the
first twelve. --pipeline tries a file out before it is set (docs/pipelines.md).`,
		Example: "  trilobite preprocess street.jpg --model road --pipeline dusk.yaml -o seen.png",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := app.config(cmd)
			if err != nil {
				return err
			}
			card, err := zoo.NewStore(c.Home).Get(model)
			if err != nil {
				return err
			}
			spec := card.Pipeline
			if file != "" {
				if spec, err = triedPipeline(zoo.NewStore(c.Home), model, file); err != nil {
					return err
				}
			}
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			sheet, err := preprocessed(cmd.Context(), spec, data, imageio.Limits{Pixels: int(c.Limits.Pixels)})
			if err != nil {
				return err
			}
			png, err := sheet.EncodePNG()
			if err != nil {
				return err
			}
			if err := os.WriteFile(out, png, 0o644); err != nil { //nolint:gosec // G703: the user names the file to write
				return fmt.Errorf("writing %s: %w", out, err)
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&model, "model", "", "installed model, `name` or name@version")
	fl.StringVar(&file, "pipeline", "", "pipeline `file` instead of the one in use")
	fl.StringVarP(&out, "output", "o", "", "PNG `file` to write")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("model"), cmd.MarkFlagRequired("output")))
	return cmd
}

// triedPipeline reads a pipeline file for a model, as SetPipeline would.
func triedPipeline(s *zoo.Store, model, file string) (pipeline.Spec, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return pipeline.Spec{}, err
	}
	return s.TryPipeline(model, file, text)
}

const mostInputs = 12 // of tiles that are shown

// contactSheet lays pictures of one size out in rows.
func contactSheet(all []*imageio.Image) (*imageio.Image, error) {
	if len(all) == 1 {
		return all[0], nil
	}
	const gap = 8
	across := int(math.Ceil(math.Sqrt(float64(len(all)))))
	down := (len(all) + across - 1) / across
	w, h := all[0].W, all[0].H
	sheet := imageio.New(across*(w+gap)-gap, down*(h+gap)-gap)
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	for i, m := range all {
		if m.W != w || m.H != h {
			return nil, fmt.Errorf("a picture of %d×%d pixels among others of %d×%d", m.W, m.H, w, h)
		}
		x, y := i%across*(w+gap), i/across*(h+gap)
		for j := range h {
			copy(sheet.Pix[3*((y+j)*sheet.W+x):], m.Pix[3*j*w:3*(j+1)*w])
		}
	}
	return sheet, nil
}

// shownHigh is the height of each picture that is shown, pixels.
const shownHigh = 480

// preprocessed lays the picture, the picture after the steps and the model's input side
// by side. The latter two are decoded as they are for an answer.
func preprocessed(ctx context.Context, spec pipeline.Spec, data []byte, limits imageio.Limits) (*imageio.Image, error) {
	t, err := pipeline.Compile(spec)
	if err != nil {
		return nil, err
	}
	before, err := imageio.Decode(ctx, data, imageio.Options{Limits: limits, MinSide: 2 * shownHigh})
	if err != nil {
		return nil, err
	}
	o := t.Loading()
	o.Limits = limits
	img, err := imageio.Decode(ctx, data, o)
	if err != nil {
		return nil, err
	}
	after, _, err := t.Steps(img)
	if err != nil {
		return nil, err
	}
	inputs, edges, err := inputsOf(t, img)
	if err != nil {
		return nil, err
	}
	if len(edges) > 0 {
		if after, err = after.Draw(edges); err != nil {
			return nil, err
		}
	}
	input, err := contactSheet(inputs)
	if err != nil {
		return nil, err
	}
	return sideBySide(before, after, input)
}

// inputsOf returns the first inputs that an image becomes, as pictures, and where tiles lie.
func inputsOf(t *pipeline.Transform, img *imageio.Image) (inputs []*imageio.Image, edges []imageio.Mark, err error) {
	err = t.Parts(img, func(p pipeline.Part) error {
		defer t.Recycle(p.X)
		if t.Spec().Tiled() && !p.Whole {
			edges = append(edges, imageio.Mark{Box: p.Tile, Class: len(edges)})
		}
		if len(inputs) == mostInputs {
			return nil
		}
		input, err := t.Picture(p.X)
		inputs = append(inputs, input)
		return err
	})
	return inputs, edges, err
}

// sideBySide lays pictures in a row, each shownHigh pixels high.
func sideBySide(all ...*imageio.Image) (*imageio.Image, error) {
	const gap, widest = 8, 1920
	var panels []*imageio.Image
	total := -gap
	for _, m := range all {
		p, err := m.Resize(min(widest, max(1, m.W*shownHigh/m.H)), shownHigh, imageio.Bilinear)
		if err != nil {
			return nil, err
		}
		panels = append(panels, p)
		total += p.W + gap
	}
	sheet, at := imageio.New(total, shownHigh), 0
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	for _, p := range panels {
		for y := range shownHigh {
			copy(sheet.Pix[3*(y*total+at):], p.Pix[3*y*p.W:3*(y+1)*p.W])
		}
		at += p.W + gap
	}
	return sheet, nil
}
