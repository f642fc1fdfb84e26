package serving

import (
	"context"
	"fmt"

	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
)

// maxImages is how many images one call of Infer may bring, and maxAnswered how many values
// they may be answered by.
const maxImages, maxAnswered = 64, 128 << 20

// inferImages runs a model on image files, one after the other: its own preprocessing makes
// its input of them, and answers are joined along their first axis. An image that the pipeline
// cuts into tiles has a row for each, as Transform.Parts orders them, and comes alone, for
// nothing would tell where the next one's begin.
func (r *Registry) inferImages(ctx context.Context, m *Model, images []string) ([]*tensor.Tensor, error) {
	if m.Pipeline.Tiled() && len(images) > 1 {
		return nil, m.invalid("its pipeline cuts images into tiles, each a row of the answer: send one image at a time, not %d", len(images))
	}
	a := &answers{m: m, rows: make([][]*tensor.Tensor, len(m.session.Outputs()))}
	for i, file := range images {
		err := r.inferImage(ctx, m, []byte(file), a.add)
		if err != nil && len(images) > 1 {
			err = fmt.Errorf("image %d: %w", i, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return a.joined()
}

// inferImage calls f with the outputs of each part of an image.
func (r *Registry) inferImage(ctx context.Context, m *Model, file []byte, f func([]*tensor.Tensor) error) error {
	img, release, err := r.Decode(ctx, file, m.transform.Loading())
	if err != nil {
		return err
	}
	defer release()
	return m.transform.Parts(img, func(p pipeline.Part) error {
		out, err := m.session.Run(ctx, []*tensor.Tensor{p.X})
		m.transform.Recycle(p.X)
		if err != nil {
			return err
		}
		return f(out)
	})
}

// answers are the outputs of several runs of a model.
type answers struct {
	m      *Model
	rows   [][]*tensor.Tensor // by output
	values int64
}

func (a *answers) add(out []*tensor.Tensor) error {
	for j, t := range out {
		a.rows[j] = append(a.rows[j], t)
		a.values += t.Len()
	}
	if a.values > maxAnswered {
		return a.m.invalid("its answers have more than %d values after %d inputs: ask for fewer, or for the model's answer by the native API", maxAnswered, len(a.rows[0]))
	}
	return nil
}

// joined joins rows along their first axis. Of several, each must be one row for that: where
// a model answers as many as it finds, nothing would tell whose they are.
func (a *answers) joined() ([]*tensor.Tensor, error) {
	joined := make([]*tensor.Tensor, len(a.rows))
	for j, row := range a.rows {
		for _, t := range row {
			if len(row) > 1 && a.m.Pipeline.Tiled() && (len(t.Shape) == 0 || t.Shape[0] != 1) {
				return nil, a.m.invalid("its answers to several tiles cannot be told apart (output %s): ask for the model's answer by the native API", output(a.m, j))
			}
		}
		var err error
		if joined[j], err = tensor.Join(row...); err != nil {
			return nil, a.m.invalid("its answers to several inputs cannot be joined (output %s: %v): send one at a time", output(a.m, j), err)
		}
	}
	return joined, nil
}

func output(m *Model, j int) ort.ValueInfo { return m.session.Outputs()[j] }
