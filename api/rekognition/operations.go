package rekognition

import (
	"context"
	"errors"
	"maps"
)

// operation decodes body, answers and encodes.
type operation func(ctx context.Context, s *Server, name string, body []byte) ([]byte, error)

// operations lists what is offered, by the name the service gives it.
func operations(custom bool) map[string]operation {
	all := map[string]operation{
		"DetectLabels": handle((*Server).detectLabels),
	}
	if custom {
		maps.Copy(all, customOperations())
	}
	return all
}

func customOperations() map[string]operation {
	return map[string]operation{
		"CreateProject":            handle((*Server).createProject),
		"DescribeProjects":         handle((*Server).describeProjects),
		"DeleteProject":            handle((*Server).deleteProject),
		"CreateDataset":            handle((*Server).createDataset),
		"DescribeDataset":          handle((*Server).describeDataset),
		"UpdateDatasetEntries":     handle((*Server).updateDatasetEntries),
		"ListDatasetEntries":       handle((*Server).listDatasetEntries),
		"ListDatasetLabels":        handle((*Server).listDatasetLabels),
		"DistributeDatasetEntries": handle((*Server).distributeDatasetEntries),
		"DeleteDataset":            handle((*Server).deleteDataset),
		"CreateProjectVersion":     handle((*Server).createProjectVersion),
		"DescribeProjectVersions":  handle((*Server).describeProjectVersions),
		"CopyProjectVersion":       handle((*Server).copyProjectVersion),
		"DeleteProjectVersion":     handle((*Server).deleteProjectVersion),
		"StartProjectVersion":      handle((*Server).startProjectVersion),
		"StopProjectVersion":       handle((*Server).stopProjectVersion),
		"DetectCustomLabels":       handle((*Server).detectCustomLabels),
		"TagResource":              handle((*Server).tagResource),
		"UntagResource":            handle((*Server).untagResource),
		"ListTagsForResource":      handle((*Server).listTagsForResource),
		"PutProjectPolicy":         handle((*Server).putProjectPolicy),
		"ListProjectPolicies":      handle((*Server).listProjectPolicies),
		"DeleteProjectPolicy":      handle((*Server).deleteProjectPolicy),
	}
}

// handle makes an operation of a method on the SDK's structs.
func handle[In, Out any](method func(*Server, context.Context, *In) (*Out, error)) operation {
	return func(ctx context.Context, s *Server, name string, body []byte) ([]byte, error) {
		in := new(In)
		if err := s.codec.Decode(body, in); err != nil {
			return nil, err
		}
		if err := s.valid.check(name, in); err != nil {
			return nil, err
		}
		out, err := method(s, ctx, in)
		if err != nil {
			return nil, err
		}
		return s.codec.Append(nil, out)
	}
}

// asType is errors.AsType for errors that may be nil.
func asType[E error](err error) (E, bool) {
	if err == nil {
		var zero E
		return zero, false
	}
	return errors.AsType[E](err)
}
