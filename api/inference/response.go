package inference

import (
	"encoding/json"
	"net/http"
	"strconv"

	"trilobite/serving"
)

// answeredOutput is an output in the JSON of an answer.
type answeredOutput struct {
	tensorMetadata

	Parameters map[string]int `json:"parameters,omitempty"`
	Data       rawArray       `json:"data,omitempty"`
}

// rawArray is JSON that is written already.
type rawArray []byte

// MarshalJSON returns it.
func (r rawArray) MarshalJSON() ([]byte, error) { return r, nil }

// infer runs a model.
func (h *Handler) infer(w http.ResponseWriter, r *http.Request) error {
	q, err := read(w, r)
	if err != nil {
		return err
	}
	out, err := h.config.Models.Infer(r.Context(), refOf(r), q.in, q.want)
	if err != nil {
		return err
	}
	head, data, err := q.answer(out)
	if err != nil {
		return err
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "application/json")
	if data != nil {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set(headerLength, strconv.Itoa(len(head)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(head) // a failed write means that the client has gone
	_, _ = w.Write(data)
	return nil
}

// answer writes the outputs: JSON, and the binary data that follows it, nil for none.
func (q *asked) answer(out *serving.Tensors) (head, data []byte, err error) {
	outputs := make([]answeredOutput, len(out.Data))
	for i, t := range out.Data {
		o := &outputs[i]
		o.tensorMetadata = tensorMetadata{out.Names[i], datatype(t.DType), t.Shape}
		if q.binary(o.Name) {
			raw, err := toBinary(t)
			if err != nil {
				return nil, nil, err
			}
			o.Parameters = map[string]int{"binary_data_size": len(raw)}
			data = append(data, raw...)
			continue
		}
		if o.Data, err = toJSON(nil, t); err != nil {
			return nil, nil, invalid("Output %q: %v.", o.Name, err)
		}
	}
	answer := struct {
		Model   string           `json:"model_name"`
		Version string           `json:"model_version"`
		ID      string           `json:"id,omitempty"`
		Outputs []answeredOutput `json:"outputs"`
	}{out.Model.Name, strconv.Itoa(out.Model.Version), q.id, outputs}
	head, err = json.Marshal(answer)
	return head, data, err
}
