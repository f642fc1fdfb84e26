package rekognition

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"trilobite/auth"
	"trilobite/custom"
)

// describeProjects serves DescribeProjects: the account's projects, newest first.
func (s *Server) describeProjects(ctx context.Context, in *rekognition.DescribeProjectsInput) (*rekognition.DescribeProjectsOutput, error) {
	who, _ := auth.FromContext(ctx)
	q := custom.ProjectQuery{Names: in.ProjectNames, Limit: int(or(in.MaxResults, page))}
	for _, f := range in.Features {
		q.Features = append(q.Features, string(f))
	}
	call := []string{"DescribeProjects", who.Account, strings.Join(q.Names, ","), strings.Join(q.Features, ",")}
	var err error
	if q.Before, err = cursorID(in.NextToken, call...); err != nil {
		return nil, err
	}
	list, err := s.Custom.Projects(ctx, who.Account, q)
	if err != nil {
		return nil, err
	}
	out := &rekognition.DescribeProjectsOutput{ProjectDescriptions: []types.ProjectDescription{}}
	for _, p := range list {
		out.ProjectDescriptions = append(out.ProjectDescriptions, projectDescription(p))
	}
	if len(list) == q.Limit {
		out.NextToken = tokenID(list[len(list)-1].ID, call...)
	}
	return out, nil
}

func projectDescription(p custom.Project) types.ProjectDescription {
	d := types.ProjectDescription{
		ProjectArn: aws.String(p.ARN.String()), CreationTimestamp: aws.Time(p.CreatedAt), Status: types.ProjectStatus(p.Status),
		Feature: types.CustomizationFeature(p.Feature), AutoUpdate: types.ProjectAutoUpdate(p.AutoUpdate), Datasets: []types.DatasetMetadata{},
	}
	for _, x := range p.Datasets {
		d.Datasets = append(d.Datasets, types.DatasetMetadata{
			CreationTimestamp: aws.Time(x.CreatedAt), DatasetArn: aws.String(x.ARN.String()), DatasetType: types.DatasetType(x.Type),
			Status: types.DatasetStatus(x.Status), StatusMessage: text(x.Message), StatusMessageCode: types.DatasetStatusMessageCode(x.MessageCode),
		})
	}
	return d
}
