package vertex

import (
	"fmt"
	"net/http"

	pb "cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
	"google.golang.org/protobuf/proto"

	"trilobite"
	"trilobite/api/google"
)

// restRoutes serves the paths that the services' google.api.http annotations name.
func (h *Handler) restRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+restPath+"{call}", door(func(w http.ResponseWriter, r *http.Request) (proto.Message, error) {
		name, verb := call(r.URL.Path)
		if verb != "predict" {
			return nil, &trilobite.Error{Op: "vertex.rest", Code: trilobite.Unsupported, Msg: fmt.Sprintf("endpoints:%s is not offered by this server; predict is.", google.Short(verb))}
		}
		in := &pb.PredictRequest{}
		if err := google.ReadJSON(w, r, maxBytes, in); err != nil {
			return nil, err
		}
		in.Endpoint = resource(r, name)
		return h.predict(r.Context(), in)
	}))
	mux.HandleFunc("GET "+restPath+"{name}", door(func(_ http.ResponseWriter, r *http.Request) (proto.Message, error) {
		return h.endpoint(resource(r, r.PathValue("name")))
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		google.WriteError(w, r, &trilobite.Error{
			Op: "vertex.rest", Code: trilobite.NotFound,
			Msg: fmt.Sprintf("%s %s was not found on this server; POST …/endpoints/MODEL:predict is.", r.Method, google.Short(r.URL.Path)),
		})
	})
	return mux
}

// door reads the query's parameters and writes what a call answers.
func door(answer func(http.ResponseWriter, *http.Request) (proto.Message, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := google.ReadParams(r.URL.RawQuery)
		if err != nil {
			google.WriteError(w, r, err)
			return
		}
		out, err := answer(w, r)
		if err == nil {
			err = google.WriteJSON(w, out, p)
		}
		if err != nil {
			google.WriteError(w, r, err)
		}
	}
}

// resource is the resource name of an endpoint whose path a request has.
func resource(r *http.Request, name string) string {
	return fmt.Sprintf("projects/%s/locations/%s/endpoints/%s", r.PathValue("project"), r.PathValue("location"), name)
}
