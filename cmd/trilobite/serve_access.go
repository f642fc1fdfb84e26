package main

import (
	"context"
	"net/http"
	"os"
	"slices"

	"trilobite"
	"trilobite/auth"
	"trilobite/config"
	"trilobite/server"
	"trilobite/serving"
)

// noting tells the server's log whose a signed request is; the other APIs' callers are
// known from their context.
type noting struct{ *auth.Authenticator }

// SigV4 is the Authenticator's.
func (n noting) SigV4(r *http.Request, service string, body func() ([]byte, error)) (auth.Identity, error) {
	who, err := n.Authenticator.SigV4(r, service, body)
	if err == nil {
		server.NoteAccount(r.Context(), who.Account)
	}
	return who, err
}

// S3 is the Authenticator's.
func (n noting) S3(r *http.Request) (auth.Identity, *auth.S3Body, error) {
	who, body, err := n.Authenticator.S3(r)
	if err == nil {
		server.NoteAccount(r.Context(), who.Account)
	}
	return who, body, err
}

// operated lets only those load, unload and prepare images for models who may.
type operated struct {
	*serving.Registry

	may func(context.Context) bool
}

// operators returns the registry for the accounts that the settings name; without keys,
// for everyone.
func operators(c config.Config, r *serving.Registry, account func(context.Context) string) operated {
	return operated{r, func(ctx context.Context) bool { return !c.Auth || slices.Contains(c.Serving.Operators, account(ctx)) }}
}

// Load is the Registry's.
func (o operated) Load(ctx context.Context, ref string) error {
	if !o.may(ctx) {
		return notOperator()
	}
	return o.Registry.Load(ctx, ref)
}

// Unload is the Registry's.
func (o operated) Unload(ctx context.Context, ref string) error {
	if !o.may(ctx) {
		return notOperator()
	}
	return o.Registry.Unload(ctx, ref)
}

// SetPipeline is the Registry's.
func (o operated) SetPipeline(ctx context.Context, ref, source string, text []byte) (serving.Prepared, error) {
	if !o.may(ctx) {
		return serving.Prepared{}, notOperator()
	}
	return o.Registry.SetPipeline(ctx, ref, source, text)
}

// RollBack is the Registry's.
func (o operated) RollBack(ctx context.Context, ref string) (serving.Prepared, error) {
	if !o.may(ctx) {
		return serving.Prepared{}, notOperator()
	}
	return o.Registry.RollBack(ctx, ref)
}

func notOperator() error {
	return &trilobite.Error{
		Op: "serve", Code: trilobite.Forbidden,
		Msg: "Models are loaded, unloaded and given pipelines by the accounts of the setting serving.operators; this key's is none of them.",
	}
}

// authenticator returns who verifies callers.
func authenticator(c config.Config, db records) (*auth.Authenticator, error) {
	if !c.Auth {
		return auth.Off(), nil
	}
	sealer, err := openSealer(c)
	if err != nil {
		return nil, err
	}
	return auth.New(auth.Config{Store: db, Sealer: sealer}), nil
}

// openKeys opens the store of keys and the master key that seals their secrets.
func openKeys(ctx context.Context, c config.Config) (*auth.Keys, func() error, error) {
	sealer, err := openSealer(c)
	if err != nil {
		return nil, nil, err
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return &auth.Keys{Store: db, Sealer: sealer}, db.Close, nil
}

func openSealer(c config.Config) (*auth.Sealer, error) {
	if err := os.MkdirAll(c.Home, 0o700); err != nil {
		return nil, err
	}
	master, err := auth.MasterKey(os.Getenv("TRILOBITE_MASTER_KEY"), masterKeyFile(c))
	if err != nil {
		return nil, err
	}
	return auth.NewSealer(master)
}
