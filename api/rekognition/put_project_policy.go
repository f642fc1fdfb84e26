package rekognition

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite/custom"
)

// putProjectPolicy serves PutProjectPolicy.
func (s *Server) putProjectPolicy(ctx context.Context, in *rekognition.PutProjectPolicyInput) (*rekognition.PutProjectPolicyOutput, error) {
	a, err := own(ctx, in.ProjectArn)
	if err != nil {
		return nil, err
	}
	if _, err := custom.ParsePolicy(*in.PolicyDocument); err != nil {
		return nil, err
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	p := custom.Policy{
		Project: a, Name: *in.PolicyName, Revision: hex.EncodeToString(id[:]), Document: *in.PolicyDocument,
		CreatedAt: now(), UpdatedAt: now(),
	}
	if err := s.Custom.PutPolicy(ctx, p, aws.ToString(in.PolicyRevisionId)); err != nil {
		return nil, err
	}
	return &rekognition.PutProjectPolicyOutput{PolicyRevisionId: aws.String(p.Revision)}, nil
}
