package google_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"trilobite"
	"trilobite/api/google"
	"trilobite/auth"
)

// Google's statuses for refused callers, as its answers in public bug reports show them.
func TestRefusedCallers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		cause  error
		http   int
		status string
	}{
		{"no key", auth.MissingToken, http.StatusForbidden, "PERMISSION_DENIED"},
		{"wrong key", auth.InvalidAPIKey, http.StatusBadRequest, "INVALID_ARGUMENT"},
		{"wrong token", auth.Unrecognized, http.StatusUnauthorized, "UNAUTHENTICATED"},
		{"any other reason", errors.New("else"), http.StatusUnauthorized, "UNAUTHENTICATED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/v1/images:annotate", nil)
			google.WriteError(w, r, &trilobite.Error{Code: trilobite.Unauthorized, Msg: "No.", Err: tt.cause})
			var got struct {
				Error struct {
					Code            int
					Message, Status string
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.http || got.Error.Code != tt.http || got.Error.Status != tt.status || got.Error.Message != "No." {
				t.Errorf("answered %d %+v, want %d %s", w.Code, got.Error, tt.http, tt.status)
			}
		})
	}
}
