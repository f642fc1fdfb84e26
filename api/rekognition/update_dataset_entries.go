package rekognition

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite"
	"trilobite/custom"
	"trilobite/dataset/groundtruth"
)

// updateDatasetEntries serves UpdateDatasetEntries. The entries are kept when the call
// is answered; looking for their images goes on.
//
// Lines that are no entries at all are left out, as in an import; if they are more than
// a fifth, the service would fail the update later, and here nothing changes and the
// call says so.
func (s *Server) updateDatasetEntries(ctx context.Context, in *rekognition.UpdateDatasetEntriesInput) (*rekognition.UpdateDatasetEntriesOutput, error) {
	a, err := own(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	var entries []custom.Entry
	at := map[string]int{} // by SourceRef: of one image given twice the last counts
	lines, bad, first := 0, 0, error(nil)
	for line := range bytes.Lines(in.Changes.GroundTruth) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		lines++
		l, err := groundtruth.Parse(line)
		if err != nil {
			bad++
			if first == nil {
				first = fmt.Errorf("line %d: %w", lines, err)
			}
			continue
		}
		e := custom.EntryOf(l)
		if i, twice := at[e.SourceRef]; twice {
			entries[i] = e
			continue
		}
		at[e.SourceRef] = len(entries)
		entries = append(entries, e)
	}
	if lines == 0 || bad*5 > lines {
		return nil, &trilobite.Error{
			Op: "rekognition.UpdateDatasetEntries", Code: trilobite.Invalid, Err: first,
			Msg: fmt.Sprintf("Of %d JSON Lines %d are no entries: %v", lines, bad, first),
		}
	}
	return &rekognition.UpdateDatasetEntriesOutput{}, s.Custom.UpdateEntries(ctx, a, entries, now())
}
