package rekognition

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"trilobite"
	"trilobite/auth"
	"trilobite/custom"
)

// copyProjectVersion serves CopyProjectVersion. A version of another account is copied
// where a policy of its project allows that.
func (s *Server) copyProjectVersion(ctx context.Context, in *rekognition.CopyProjectVersionInput) (*rekognition.CopyProjectVersionOutput, error) {
	to, err := own(ctx, in.DestinationProjectArn)
	if err != nil {
		return nil, err
	}
	project, err := custom.ParseARN(*in.SourceProjectArn)
	if err != nil {
		return nil, err
	}
	from, err := custom.ParseARN(*in.SourceProjectVersionArn)
	if err != nil {
		return nil, err
	}
	switch {
	case project.Account != from.Account || project.Project != from.Project || project.Region != from.Region:
		return nil, invalid("CopyProjectVersion", "The source version is not one of the source project's.")
	case from.Region != to.Region:
		return nil, invalid("CopyProjectVersion", "Source and destination are of different regions.")
	case in.OutputConfig.S3Bucket == nil:
		return nil, invalid("CopyProjectVersion", "OutputConfig needs S3Bucket.")
	}
	if err := s.mayCopy(ctx, project, from); err != nil {
		return nil, err
	}
	if _, err := s.Custom.Project(ctx, project); err != nil {
		return nil, err
	}
	v, err := s.Custom.CopyVersion(ctx, custom.NewCopy{
		Source: from, Project: to, Name: *in.VersionName, KMSKey: aws.ToString(in.KmsKeyId), Tags: in.Tags, CreatedAt: now(),
		Output: custom.Output{Bucket: *in.OutputConfig.S3Bucket, Prefix: aws.ToString(in.OutputConfig.S3KeyPrefix)},
	})
	if err != nil {
		return nil, err
	}
	return &rekognition.CopyProjectVersionOutput{ProjectVersionArn: aws.String(v.ARN.String())}, nil
}

// mayCopy asks the policies of another account's project. What is not allowed and what
// is not there are answered alike.
func (s *Server) mayCopy(ctx context.Context, project, version custom.ARN) error {
	who, _ := auth.FromContext(ctx)
	if who.Account == project.Account {
		return nil
	}
	refused := &trilobite.Error{Op: "rekognition.CopyProjectVersion", Code: trilobite.Forbidden, Msg: "You are not authorized to copy " + version.String() + "."}
	allowed := false
	for after := ""; ; {
		list, err := s.Custom.Policies(ctx, project, after, page)
		if trilobite.CodeOf(err) == trilobite.NotFound && err != nil {
			return refused
		} else if err != nil {
			return err
		}
		for _, p := range list {
			after = p.Name
			doc, err := custom.ParsePolicy(p.Document)
			if err != nil {
				return err
			}
			switch doc.Decide(who.Account, version) {
			case custom.Denied:
				return refused
			case custom.Allowed:
				allowed = true
			case custom.Silent:
			}
		}
		if len(list) < page {
			break
		}
	}
	if !allowed {
		return refused
	}
	return nil
}
