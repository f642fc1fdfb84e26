package main

import (
	"context"
	"testing"

	"trilobite"
	"trilobite/auth"
	"trilobite/config"
	"trilobite/serving/servingtest"
)

// TestOperators: with keys, only the accounts of the setting change what models do.
func TestOperators(t *testing.T) {
	t.Parallel()
	r, _ := servingtest.Open(t, 0)
	account := func(ctx context.Context) string {
		id, _ := auth.FromContext(ctx)
		return id.Account
	}
	c := config.Config{Auth: true}
	c.Serving.Operators = []string{"ops"}
	for name, tt := range map[string]struct {
		auth    bool
		account string
		want    trilobite.Code
	}{
		"an operator": {true, "ops", ""}, "another": {true, "other", trilobite.Forbidden}, "nobody, without keys": {false, "", ""},
	} {
		c.Auth = tt.auth
		ctx, m := auth.WithIdentity(t.Context(), auth.Identity{Account: tt.account}), operators(c, r, account)
		_, set := m.SetPipeline(ctx, "tint", "f.yaml", []byte("steps: [greyscale]\n"))
		_, back := m.RollBack(ctx, "tint")
		for call, err := range map[string]error{"Load": m.Load(ctx, "tint"), "Unload": m.Unload(ctx, "tint"), "SetPipeline": set, "RollBack": back} {
			if (err == nil) != (tt.want == "") || err != nil && trilobite.CodeOf(err) != tt.want {
				t.Errorf("%s: %s says %v, want %q", name, call, err, tt.want)
			}
		}
	}
}
