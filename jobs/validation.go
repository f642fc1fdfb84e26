package jobs

import (
	"context"
	"encoding/json"

	"trilobite/custom"
)

// message is an error as manifests have it.
type message struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// statistics is one half in the manifest summary (tm-debugging-summary).
type statistics struct {
	UseCase string    `json:"use_case"`
	Total   int       `json:"total_json_lines"`
	Valid   int       `json:"valid_json_lines"`
	Invalid int       `json:"invalid_json_lines"`
	Ignored int       `json:"ignored_json_lines"`
	Lines   []int     `json:"error_json_line_indices"`
	Errors  []message `json:"errors"`
}

func messages(codes []Code) []message {
	list := []message{}
	for _, c := range codes {
		list = append(list, message{string(c), c.Text()})
	}
	return list
}

func (h *half) statistics(l custom.Learning) statistics {
	s := statistics{UseCase: "IMAGE_LEVEL_LABELS", Total: len(h.records), Lines: []int{}, Errors: messages(h.errors)}
	if l == custom.Boxes {
		s.UseCase = "OBJECT_LOCALIZATION"
	}
	if len(h.errors) > 0 {
		s.UseCase = "NOT_DETERMINED"
	}
	for i := range h.records {
		r := &h.records[i]
		switch {
		case r.invalid():
			s.Invalid++
		case r.ignored():
			s.Ignored++
		default:
			s.Valid++
		}
		if r.invalid() || r.line != nil && r.line.Failed {
			s.Lines = append(s.Lines, i+1)
		}
	}
	return s
}

// writeValidation writes both manifests with their errors, and the summary of these.
func (t *training) writeValidation(ctx context.Context) error {
	for _, x := range []struct {
		half  *half
		files *custom.VersionFiles
		name  string
	}{
		{&t.train, &t.detail.TrainingFiles, "training_manifest_with_validation.json"},
		{&t.test, &t.detail.TestingFiles, "testing_manifest_with_validation.json"},
	} {
		var text []byte
		for i := range x.half.records {
			text = append(append(text, x.half.records[i].text...), '\n')
		}
		o, err := t.write(ctx, x.name, text)
		if err != nil {
			return err
		}
		x.files.Validation = &o
	}
	var summary struct {
		Statistics struct {
			Training statistics `json:"training"`
			Testing  statistics `json:"testing"`
		} `json:"statistics"`
		Errors []message `json:"errors"`
	}
	summary.Statistics.Training = t.train.statistics(t.learning)
	summary.Statistics.Testing = t.test.statistics(t.learning)
	summary.Errors = messages(t.both)
	o, err := t.writeJSON(ctx, "manifest_summary.json", summary)
	t.detail.Manifests = &o
	return err
}

func (t *training) writeJSON(ctx context.Context, name string, v any) (custom.Object, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return custom.Object{}, err
	}
	return t.write(ctx, name, data)
}
