package rekognition

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite/custom"
)

// listDatasetEntries serves ListDatasetEntries. Filters hold together; ContainsLabels
// takes an image with any of the labels, and HasErrors filters only when it is true.
func (s *Server) listDatasetEntries(ctx context.Context, in *rekognition.ListDatasetEntriesInput) (*rekognition.ListDatasetEntriesOutput, error) {
	a, err := own(ctx, in.DatasetArn)
	if err != nil {
		return nil, err
	}
	q := custom.EntryQuery{
		Labels: in.ContainsLabels, Labeled: in.Labeled, SourceRef: aws.ToString(in.SourceRefContains),
		Errors: aws.ToBool(in.HasErrors), Limit: int(or(in.MaxResults, page)),
	}
	labeled := ""
	if q.Labeled != nil {
		labeled = fmt.Sprint(*q.Labeled)
	}
	call := []string{"ListDatasetEntries", a.String(), strings.Join(q.Labels, "\x01"), labeled, q.SourceRef, fmt.Sprint(q.Errors)}
	if q.After, err = cursorID(in.NextToken, call...); err != nil {
		return nil, err
	}
	list, err := s.Custom.Entries(ctx, a, q)
	if err != nil {
		return nil, err
	}
	out := &rekognition.ListDatasetEntriesOutput{DatasetEntries: []string{}}
	for _, e := range list {
		out.DatasetEntries = append(out.DatasetEntries, e.Line)
	}
	if len(list) == q.Limit {
		out.NextToken = tokenID(list[len(list)-1].ID, call...)
	}
	return out, nil
}
