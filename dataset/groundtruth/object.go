package groundtruth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
)

// object is a JSON object whose members keep their order and their text, so that what
// this package does not know comes out as it went in.
type object struct{ members []member }

type member struct {
	name string
	raw  json.RawMessage
}

// maxMembers bounds an object, whose members are searched one by one: 50 labels are 101.
const maxMembers = 1000

var (
	errNoObject = errors.New("not a JSON object")
	errTooMany  = errors.New("object with more than 1000 members")
)

// parseObject reads one JSON object and nothing after it. Of a name given twice the last
// value counts, as for encoding/json.
func parseObject(text []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	o := &object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if len(o.members) == maxMembers {
			return nil, errTooMany
		}
		name, _ := t.(string) // the decoder lets nothing else be a name
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		o.setRaw(name, raw)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return o, nil
}

func (o *object) find(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// get returns a member's text, nil if there is none.
func (o *object) get(name string) json.RawMessage {
	if i := o.find(name); i >= 0 {
		return o.members[i].raw
	}
	return nil
}

func (o *object) setRaw(name string, raw json.RawMessage) {
	if i := o.find(name); i >= 0 {
		o.members[i].raw = raw
		return
	}
	o.members = append(o.members, member{name, raw})
}

func (o *object) set(name string, v *object) { o.setRaw(name, json.RawMessage(v.String())) }

func (o *object) remove(name string) {
	if i := o.find(name); i >= 0 {
		o.members = slices.Delete(o.members, i, i+1)
	}
}

func (o *object) names() []string {
	names := make([]string, len(o.members))
	for i, m := range o.members {
		names[i] = m.name
	}
	return names
}

// addError appends to the list "errors".
func (o *object) addError(c Code, about string) {
	var have []json.RawMessage
	_ = json.Unmarshal(o.get("errors"), &have) // our own list, or none
	raw, _ := json.Marshal(struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	}{c, c.text(about)})
	o.setRaw("errors", list(append(have, raw)))
}

// list writes a JSON array.
func list(items []json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, raw := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// String writes the object on one line.
func (o *object) String() string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(m.name)
		b.Write(name)
		b.WriteByte(':')
		if json.Compact(&b, m.raw) != nil { // it was decoded from JSON
			b.WriteString("null")
		}
	}
	b.WriteByte('}')
	return b.String()
}
