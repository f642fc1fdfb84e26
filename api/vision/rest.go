package vision

import (
	"fmt"
	"net/http"

	pb "cloud.google.com/go/vision/v2/apiv1/visionpb"

	"trilobite"
	"trilobite/api/google"
)

// restRoutes serves the paths that the service's google.api.http annotations name.
func (h *Handler) restRoutes() http.Handler {
	mux := http.NewServeMux()
	for _, parent := range []string{"", "projects/{project}/", "projects/{project}/locations/{location}/"} {
		mux.HandleFunc("POST /v1/"+parent+"images:annotate", h.restAnnotate)
		for _, other := range []string{"images:asyncBatchAnnotate", "files:annotate", "files:asyncBatchAnnotate"} {
			mux.HandleFunc("POST /v1/"+parent+other, restUnsupported)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		google.WriteError(w, r, &trilobite.Error{
			Op: "vision.rest", Code: trilobite.NotFound,
			Msg: fmt.Sprintf("%s %s was not found on this server; POST /v1/images:annotate is.", r.Method, google.Short(r.URL.Path)),
		})
	})
	return mux
}

func restUnsupported(w http.ResponseWriter, r *http.Request) {
	google.WriteError(w, r, &trilobite.Error{Op: "vision.rest", Code: trilobite.Unsupported, Msg: notOffered(Operation(r))})
}

func (h *Handler) restAnnotate(w http.ResponseWriter, r *http.Request) {
	p, err := google.ReadParams(r.URL.RawQuery)
	if err != nil {
		google.WriteError(w, r, err)
		return
	}
	batch := &pb.BatchAnnotateImagesRequest{}
	if err := google.ReadJSON(w, r, maxJSONBytes, batch); err != nil {
		google.WriteError(w, r, err)
		return
	}
	if project := r.PathValue("project"); project != "" {
		batch.Parent = "projects/" + project
		if location := r.PathValue("location"); location != "" {
			batch.Parent += "/locations/" + location
		}
	}
	resp, err := h.annotate(r.Context(), batch)
	if err != nil {
		google.WriteError(w, r, err)
		return
	}
	if err := google.WriteJSON(w, resp, p); err != nil {
		google.WriteError(w, r, err)
	}
}
