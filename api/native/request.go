package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"trilobite"
)

// The features of a request.
const (
	labels     = "labels"
	detections = "detections"
	props      = "properties"
	crops      = "crops"
)

// Bounds of what a request may ask for.
const (
	maxCrops      = 16
	maxColors     = 12
	maxModels     = 16
	maxFieldBytes = 4 << 10 // of one form field that is not the file
	maxParts      = 32      // of a form
)

// Source is an image: exactly one of the two is given.
type Source struct {
	Image []byte `json:"image,omitempty" contentEncoding:"base64" doc:"The image file, in base64"`
	URL   string `json:"url,omitempty" doc:"Where to read the image; the server's configuration lists the hosts"`
}

func (s *Source) source() *Source { return s }

// asking is an image with options, which forms and queries bring as text.
type asking interface {
	source() *Source
	// set takes an option but url. It fails with errNoOption where there is none of
	// the name, and with another error where the text is no value of it.
	set(name, text string) error
}

var errNoOption = errors.New("no such option")

// Request is an image and what to look for.
type Request struct {
	Source

	Features   []string  `json:"features,omitempty" nullable:"false" enum:"labels,detections,properties,crops" doc:"Only at /analyze; labels and detections if left out"`
	Models     []string  `json:"models,omitempty" nullable:"false" maxItems:"16" doc:"Names of models to ask; all configured ones if left out"`
	MinScore   *float32  `json:"min_score,omitempty" minimum:"0" maximum:"1" doc:"Leaves out what scores less"`
	MaxLabels  int       `json:"max_labels,omitempty" minimum:"0" doc:"Most labels to answer; 0 is no limit"`
	MaxColors  int       `json:"max_colors,omitempty" minimum:"0" maximum:"12" doc:"Most colours per region; 0 is 10"`
	CropRatios []float32 `json:"crop_ratios,omitempty" nullable:"false" maxItems:"16" doc:"Width / height of each wanted crop; the image's own if left out"`
}

// read reads what r asks, from a JSON body, a form with a file, or a body that is
// the image itself with its options in the query.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, asked asking) error {
	// A third more for base64, and room for the rest.
	r.Body = http.MaxBytesReader(w, r.Body, h.config.ImageBytes/3*4+1<<20)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	switch {
	case kind == "application/json":
		err = h.readJSON(r, asked)
	case kind == "multipart/form-data" && params["boundary"] != "":
		err = h.readForm(r, asked)
	case kind == "application/octet-stream", strings.HasPrefix(kind, "image/"), kind == "application/x-image":
		err = h.readPlain(r, asked)
	default:
		return invalid("The Content-Type must be application/json, multipart/form-data with a boundary, image/* or application/octet-stream.")
	}
	if err != nil {
		return err
	}
	src := asked.source()
	switch {
	case len(src.Image) == 0 && src.URL == "":
		return invalid("The request has no image: send image, url or a file.")
	case len(src.Image) > 0 && src.URL != "":
		return invalid("The request has an image and a url: send one of them.")
	case int64(len(src.Image)) > h.config.ImageBytes:
		return h.tooLarge()
	}
	return nil
}

func (h *Handler) readJSON(r *http.Request, asked asking) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(asked); err != nil {
		return h.bodyError(err, "The body is no JSON of the expected form: "+brief(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return h.bodyError(err, "The body has more than one JSON value.")
	}
	return nil
}

// brief is what encoding/json says, without the values that it might repeat.
func brief(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s does not fit the field %s.", e.Value, e.Field)
	}
	const most = 200
	return fmt.Sprintf("%.*s.", most, strings.TrimPrefix(err.Error(), "json: "))
}

func (h *Handler) readPlain(r *http.Request, asked asking) error {
	if err := setAll(asked, r.URL.Query()); err != nil {
		return err
	}
	var err error
	asked.source().Image, err = h.readImage(r.Body)
	return err
}

// readForm reads parts as they come, so that nothing is spilled to disk.
func (h *Handler) readForm(r *http.Request, asked asking) error {
	form, err := r.MultipartReader()
	if err != nil {
		return invalid("The form cannot be read: its boundary is missing or broken.")
	}
	values := url.Values{}
	for range maxParts {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return setAll(asked, values)
		}
		if err != nil {
			return h.bodyError(err, "The form is cut short or broken.")
		}
		name := part.FormName()
		if name == "file" {
			if asked.source().Image != nil {
				return invalid("The form has more than one file: send one image per request.")
			}
			if asked.source().Image, err = h.readImage(part); err != nil {
				return err
			}
			continue
		}
		data, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if err != nil {
			return h.bodyError(err, "The form is cut short or broken.")
		}
		if len(data) > maxFieldBytes {
			return invalid(fmt.Sprintf("The form's field %.100q has more than %d bytes; the image belongs into file.", name, maxFieldBytes))
		}
		values.Add(name, string(data))
	}
	return invalid(fmt.Sprintf("The form has more than %d parts.", maxParts))
}

func (h *Handler) readImage(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, h.config.ImageBytes+1))
	if err != nil {
		return nil, h.bodyError(err, "The image is cut short.")
	}
	if int64(len(data)) > h.config.ImageBytes {
		return nil, h.tooLarge()
	}
	return data, nil
}

// bodyError sorts what may happen while a body arrives; msg is for the rest.
func (h *Handler) bodyError(err error, msg string) error {
	if _, ok := errors.AsType[*trilobite.Error](err); ok {
		return err // the server's own, of a body that came too slowly
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return h.tooLarge()
	}
	return &trilobite.Error{Op: "native.read", Code: trilobite.Invalid, Msg: msg, Err: err}
}

func (h *Handler) tooLarge() error {
	return &trilobite.Error{
		Op: "native.read", Code: trilobite.ImageTooLarge,
		Msg: fmt.Sprintf("The image has more than %d bytes.", h.config.ImageBytes),
	}
}

// setAll reads options as text, from a form or a query.
func setAll(asked asking, values url.Values) error {
	for name, texts := range values {
		for _, text := range texts {
			var err error
			switch name {
			case "url":
				asked.source().URL = text
			case "key": // credentials, read before us
			default:
				err = asked.set(name, text)
			}
			if errors.Is(err, errNoOption) {
				return invalid(fmt.Sprintf("There is no option %.100q.", name))
			}
			if err != nil {
				return invalid(fmt.Sprintf("The option %s is no number: %.100q.", name, text))
			}
		}
	}
	return nil
}

func (q *Request) set(name, text string) (err error) {
	switch name {
	case "features":
		q.Features = append(q.Features, strings.Split(text, ",")...)
	case "models":
		q.Models = append(q.Models, strings.Split(text, ",")...)
	case "min_score":
		q.MinScore, err = parseScore(text)
	case "max_labels":
		q.MaxLabels, err = strconv.Atoi(text)
	case "max_colors":
		q.MaxColors, err = strconv.Atoi(text)
	case "crop_ratios":
		for t := range strings.SplitSeq(text, ",") {
			v, e := strconv.ParseFloat(t, 32)
			q.CropRatios, err = append(q.CropRatios, float32(v)), errors.Join(err, e)
		}
	default:
		return errNoOption
	}
	return err
}

func parseScore(text string) (*float32, error) {
	v, err := strconv.ParseFloat(text, 32)
	return new(float32(v)), err
}

// params checks what is asked and says it in the domain's words.
func (q *Request) params(minScore float32) (trilobite.AnalyzeParams, error) {
	p := trilobite.AnalyzeParams{MinScore: minScore, MaxLabels: q.MaxLabels, MaxColors: q.MaxColors, Models: q.Models}
	if q.MinScore != nil {
		p.MinScore = *q.MinScore
	}
	if p.MaxColors == 0 {
		p.MaxColors = 10
	}
	switch {
	case !(p.MinScore >= 0 && p.MinScore <= 1): // so written that NaN fails
		return p, invalid("min_score must be between 0 and 1.")
	case q.MaxLabels < 0:
		return p, invalid("max_labels must not be negative.")
	case q.MaxColors < 0 || q.MaxColors > maxColors:
		return p, invalid(fmt.Sprintf("max_colors must be between 0 and %d.", maxColors))
	case len(q.Models) > maxModels:
		return p, invalid(fmt.Sprintf("At most %d models can be asked at once.", maxModels))
	case len(q.CropRatios) > maxCrops:
		return p, invalid(fmt.Sprintf("At most %d crop_ratios can be asked at once.", maxCrops))
	}
	for _, r := range q.CropRatios {
		if !(r >= 0.00001 && r <= 100000) {
			return p, invalid("crop_ratios must be between 0.00001 and 100000.")
		}
	}
	for _, f := range q.Features {
		switch f {
		case labels:
			p.Labels = true
		case detections:
			p.Objects = true
		case props:
			p.Properties = true
		case crops:
			p.CropRatios = q.CropRatios
			if len(p.CropRatios) == 0 {
				p.CropRatios = []float32{0}
			}
		default:
			return p, invalid(fmt.Sprintf("There is no feature %.100q: choose among labels, detections, properties and crops.", f))
		}
	}
	return p, nil
}
