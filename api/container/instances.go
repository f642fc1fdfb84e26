package container

import (
	"encoding/json"
	"fmt"
	"net/http"

	"trilobite"
)

// maxInstances is how many images one request may bring.
const maxInstances = 64

// instances answers Vertex AI's form of a request: each instance is an image in base64,
// {"b64": …}, {"content": …} or {ANY: {"b64": …}}, and gets the native API's answer in
// "predictions"; parameters are its options. One that cannot be answered is the whole
// request's error.
func (a APIs) instances(r *http.Request, model string, list, options json.RawMessage) *answer {
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(list, &all); err != nil || len(all) == 0 || len(all) > maxInstances {
		return refused(fmt.Sprintf(`instances must be a list of 1 to %d objects such as {"b64": "…"}.`, maxInstances))
	}
	asked := map[string]json.RawMessage{}
	if options != nil && json.Unmarshal(options, &asked) != nil {
		return refused("parameters must be an object of options.")
	}
	predictions := make([]json.RawMessage, len(all))
	for i, instance := range all {
		image := imageOf(instance)
		if image == nil {
			return refused(fmt.Sprintf(`Instance %d has no image: send {"b64": "…"}.`, i))
		}
		asked["image"] = image
		body, err := json.Marshal(asked)
		if err != nil {
			return refused("parameters must be an object of options.")
		}
		one := r.Clone(r.Context())
		one.Header = http.Header{} // an answer in JSON, whatever r accepts
		out := a.predict(one, model, "application/json", body)
		if out.status != http.StatusOK {
			return out
		}
		predictions[i] = out.body.Bytes()
	}
	out := &answer{header: http.Header{"Content-Type": {"application/json"}}, status: http.StatusOK}
	_ = json.NewEncoder(&out.body).Encode(map[string]any{"predictions": predictions}) // valid JSON into a buffer
	return out
}

// imageOf returns an instance's image as a JSON string of base64, or nil.
func imageOf(instance map[string]json.RawMessage) json.RawMessage {
	for _, name := range []string{"b64", "content"} {
		if v := instance[name]; len(v) > 0 && v[0] == '"' {
			return v
		}
	}
	for _, v := range instance {
		var inner struct {
			B64 *json.RawMessage `json:"b64"`
		}
		if json.Unmarshal(v, &inner) == nil && inner.B64 != nil && (*inner.B64)[0] == '"' {
			return *inner.B64
		}
	}
	return nil
}

// refused is the answer to a request that breaks a rule.
func refused(msg string) *answer {
	out := &answer{header: http.Header{}}
	WriteError(out, nil, &trilobite.Error{Op: "container", Code: trilobite.Invalid, Msg: msg})
	return out
}
