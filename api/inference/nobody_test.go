package inference_test

import (
	"context"

	"trilobite"
	"trilobite/serving"
	"trilobite/tensor"
)

// nobody has no models.
type nobody struct{}

func missing() error { return &trilobite.Error{Code: trilobite.NotFound, Msg: "There is no model."} }

func (nobody) List() ([]serving.Status, error)       { return nil, nil }
func (nobody) Status(string) (serving.Status, error) { return serving.Status{}, missing() }
func (nobody) Versions(string) []int                 { return nil }
func (nobody) Values(context.Context, string) (serving.Values, error) {
	return serving.Values{}, missing()
}
func (nobody) Load(context.Context, string) error   { return missing() }
func (nobody) Unload(context.Context, string) error { return missing() }
func (nobody) Infer(context.Context, string, map[string]*tensor.Tensor, []string) (*serving.Tensors, error) {
	return nil, missing()
}
