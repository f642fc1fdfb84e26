package vertex

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"

	pb "cloud.google.com/go/aiplatform/apiv1/aiplatformpb"

	"trilobite"
	"trilobite/api/google"
)

// nameRE is an endpoint's resource name: project, location and model, NAME or NAME@VERSION.
var nameRE = regexp.MustCompile(`\A(projects/[^/]+/locations/[^/]+)/endpoints/([^/:]+)\z`)

// parse cuts an endpoint's resource name into its parent and the model's reference.
func parse(name string) (parent, model string, err error) {
	m := nameRE.FindStringSubmatch(name)
	if m == nil {
		return "", "", google.Invalid(fmt.Sprintf("Invalid resource name %q: it is projects/PROJECT/locations/LOCATION/endpoints/MODEL.", google.Short(name)))
	}
	return m[1], m[2], nil
}

// notFound says in Google's words that there is no such endpoint; other errors it leaves.
func notFound(name string, err error) error {
	if trilobite.CodeOf(err) != trilobite.NotFound {
		return err
	}
	return &trilobite.Error{Op: "vertex", Code: trilobite.NotFound, Msg: fmt.Sprintf("Endpoint `%s` is not found.", google.Short(name)), Err: err}
}

// endpoint describes a model as the endpoint that it alone is deployed to.
func (h *Handler) endpoint(name string) (*pb.Endpoint, error) {
	parent, ref, err := parse(name)
	if err != nil {
		return nil, err
	}
	s, err := h.config.Models.Status(ref)
	if err != nil {
		return nil, notFound(name, err)
	}
	title, version := cmp.Or(s.Title, s.Name), strconv.Itoa(s.Version)
	return &pb.Endpoint{
		Name: name, DisplayName: title,
		DeployedModels: []*pb.DeployedModel{{Id: version, Model: parent + "/models/" + s.Name, ModelVersionId: version, DisplayName: title}},
		TrafficSplit:   map[string]int32{version: 100},
	}, nil
}
