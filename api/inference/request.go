package inference

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"trilobite/tensor"
)

// headerLength says how many bytes of a body are JSON; binary tensor data follows.
const headerLength = "Inference-Header-Content-Length"

// inferRequest is the JSON of an inference.
type inferRequest struct {
	ID         string        `json:"id"`
	Parameters parameters    `json:"parameters"`
	Inputs     []inferInput  `json:"inputs"`
	Outputs    []inferOutput `json:"outputs"`
}

type inferInput struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      []int64         `json:"shape"`
	Parameters parameters      `json:"parameters"`
	Data       json.RawMessage `json:"data"`
}

type inferOutput struct {
	Name       string     `json:"name"`
	Parameters parameters `json:"parameters"`
}

// parameters are those that mean something here; others are left aside, as the protocol
// allows.
type parameters struct {
	BinaryDataSize     *int64  `json:"binary_data_size"`
	BinaryData         *bool   `json:"binary_data"`
	BinaryDataOutput   bool    `json:"binary_data_output"`
	Classification     int     `json:"classification"`
	SharedMemoryRegion *string `json:"shared_memory_region"`
}

// asked is an inference as serving takes it, with the form of its answer.
type asked struct {
	id     string
	in     map[string]*tensor.Tensor
	want   []string // nil: all
	binary func(output string) bool
}

// read reads an inference request.
func read(w http.ResponseWriter, r *http.Request) (*asked, error) {
	if kind := r.Header.Get("Content-Encoding"); kind != "" && kind != "identity" {
		return nil, unsupported("Requests are not taken with Content-Encoding %.20q.", kind)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, bodyError(err)
	}
	head, rest := body, []byte(nil)
	if text := r.Header.Get(headerLength); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > int64(len(body)) {
			return nil, invalid("%s is %.20q, which is no length of a part of the body's %d bytes.", headerLength, text, len(body))
		}
		head, rest = body[:n], body[n:]
	}
	var q inferRequest
	if err := json.Unmarshal(head, &q); err != nil {
		return nil, invalid("The request is no JSON of the expected form: %s.", brief(err))
	}
	return q.asked(rest)
}

// brief is what encoding/json says, in the words of the protocol.
func brief(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return e.Value + " is no request"
		}
		return fmt.Sprintf("%s does not fit the field %s", e.Value, e.Field)
	}
	return fmt.Sprintf("%.200s", err)
}

// asked takes the tensors out of the JSON and the binary data that follows it.
func (q *inferRequest) asked(data []byte) (*asked, error) {
	a := &asked{id: q.ID, in: map[string]*tensor.Tensor{}}
	if len(q.Inputs) == 0 {
		return nil, invalid("The request has no inputs.")
	}
	for _, in := range q.Inputs {
		if a.in[in.Name] != nil {
			return nil, invalid("Input %.100q is there twice.", in.Name)
		}
		t, left, err := in.tensor(data)
		if err != nil {
			return nil, err
		}
		a.in[in.Name], data = t, left
	}
	if len(data) > 0 {
		return nil, invalid("%d bytes follow the binary data of the inputs.", len(data))
	}
	binary := map[string]bool{}
	for _, out := range q.Outputs {
		if err := out.Parameters.offered(); err != nil {
			return nil, err
		}
		a.want = append(a.want, out.Name)
		binary[out.Name] = q.Parameters.BinaryDataOutput
		if b := out.Parameters.BinaryData; b != nil {
			binary[out.Name] = *b
		}
	}
	a.binary = func(output string) bool {
		if q.Outputs == nil {
			return q.Parameters.BinaryDataOutput
		}
		return binary[output]
	}
	return a, nil
}

// tensor reads an input, from its own data or from the first of the binary data; left is
// what follows that.
func (in *inferInput) tensor(data []byte) (t *tensor.Tensor, left []byte, err error) {
	bad := func(err error) error { return invalid("Input %.100q: %v.", in.Name, err) }
	if err := in.Parameters.offered(); err != nil {
		return nil, nil, err
	}
	d, err := dtype(in.Datatype)
	if err != nil {
		return nil, nil, bad(err)
	}
	size := in.Parameters.BinaryDataSize
	switch {
	case size != nil && in.Data != nil:
		return nil, nil, bad(errors.New("it has data and binary_data_size: send one of them"))
	case size != nil && (*size < 0 || *size > int64(len(data))):
		return nil, nil, bad(fmt.Errorf("binary_data_size is %d, %d bytes are left", *size, len(data)))
	case size != nil:
		t, err = fromBinary(d, in.Shape, data[:*size])
		data = data[*size:]
	case in.Data == nil:
		err = errors.New("it has no data")
	default:
		t, err = fromJSON(d, in.Shape, in.Data)
	}
	if err != nil {
		return nil, nil, bad(err)
	}
	return t, data, nil
}

// offered refuses what would change the answer and is not offered.
func (p parameters) offered() error {
	switch {
	case p.SharedMemoryRegion != nil:
		return unsupported("Shared memory is not offered.")
	case p.Classification != 0:
		return unsupported("The classification extension is not offered: ask for the tensor, or use the native API.")
	}
	return nil
}
