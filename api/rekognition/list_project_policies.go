package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// policyPage is the most policies of one answer, as the service model has it.
const policyPage = 5

// listProjectPolicies serves ListProjectPolicies, by name.
func (s *Server) listProjectPolicies(ctx context.Context, in *rekognition.ListProjectPoliciesInput) (*rekognition.ListProjectPoliciesOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	after, err := cursor(in.NextToken, "ListProjectPolicies", a.String())
	if err != nil {
		return nil, err
	}
	limit := int(or(in.MaxResults, policyPage))
	list, err := s.Custom.Policies(ctx, a, after, limit)
	if err != nil {
		return nil, err
	}
	out := &rekognition.ListProjectPoliciesOutput{ProjectPolicies: []types.ProjectPolicy{}}
	for _, p := range list {
		out.ProjectPolicies = append(out.ProjectPolicies, types.ProjectPolicy{
			ProjectArn: aws.String(a.String()), PolicyName: aws.String(p.Name), PolicyRevisionId: aws.String(p.Revision),
			PolicyDocument: aws.String(p.Document), CreationTimestamp: aws.Time(p.CreatedAt), LastUpdatedTimestamp: aws.Time(p.UpdatedAt),
		})
	}
	if len(list) == limit {
		out.NextToken = token(list[limit-1].Name, "ListProjectPolicies", a.String())
	}
	return out, nil
}
