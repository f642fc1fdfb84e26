// Package codec reads and writes AWS JSON 1.1 over the structs of aws-sdk-go-v2.
//
// encoding/json does not fit that wire: it matches keys without regard to case and
// writes nil as null, where AWS clients expect exact keys and absent fields; times are
// epoch seconds there, blobs base64, and an SDK output carries a ResultMetadata that
// belongs to the client. Everything else follows the AWS JSON 1.1 protocol of the
// Smithy specification.
//
//   - A Go field is a JSON key of the same name. Unexported and embedded fields (the
//     SDK's noSmithyDocumentSerde) and ResultMetadata are no part of the wire.
//   - Encode leaves out nil pointers, slices and maps and empty enums; empty slices
//     stay [], because clients tell "none" from "not asked".
//   - Decode ignores unknown keys, takes null for absent and drops null list members.
//
// Start at decode.go and encode.go; scan.go is the JSON grammar. Values are not checked
// against the service's limits here: see validate.go of package rekognition.
package codec

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// Codec remembers what it learned of each struct type. The zero value is ready, and
// safe for concurrent use.
type Codec struct {
	plans sync.Map // reflect.Type of a struct → *plan
}

// SyntaxError is a body that is no JSON, or whose values have the wrong type; AWS
// answers SerializationException.
type SyntaxError struct {
	Offset int // byte of the body
	Msg    string
}

// Error returns the message.
func (e *SyntaxError) Error() string { return e.Msg }

func syntaxErrorf(offset int, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// plan is what the wire sees of a struct type.
type plan struct {
	fields []field
	byName map[string]int // JSON key → index into fields
}

type field struct {
	index int    // in the struct
	key   string // quoted, with its colon, ready to write
	enum  bool   // a named string type: "" means absent
}

// Types with a wire form of their own; never changed.
var (
	timeType     = reflect.TypeFor[time.Time]()
	metadataType = reflect.TypeFor[middleware.Metadata]()
)

func (c *Codec) plan(t reflect.Type) *plan {
	if p, ok := c.plans.Load(t); ok {
		return p.(*plan) //nolint:forcetypeassert // nothing else is stored
	}
	p := &plan{byName: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Anonymous || f.Type == metadataType {
			continue
		}
		p.byName[f.Name] = len(p.fields)
		p.fields = append(p.fields, field{
			index: i,
			key:   `"` + f.Name + `":`,
			enum:  f.Type.Kind() == reflect.String && f.Type.PkgPath() != "",
		})
	}
	c.plans.Store(t, p)
	return p
}
