package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gocloud.dev/blob"

	"trilobite"
	"trilobite/api/container"
	"trilobite/api/inference"
	"trilobite/api/native"
	"trilobite/config"
	"trilobite/server"
	"trilobite/serving"
	"trilobite/telemetry"
	"trilobite/zoo"
)

// addMLDir declares where SageMaker puts what a container reads, and looks for what it
// writes.
func addMLDir(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "ml-dir", "/opt/ml", "`folder` of SageMaker's contract, with --container")
}

// serveContainer serves one model as SageMaker and Vertex AI ask their containers, until
// the command's context ends: the model of AIP_STORAGE_URI, or of the folder model of
// mlDir, or else the one model that the settings name.
func serveContainer(cmd *cobra.Command, c config.Config, mlDir string) error {
	ctx := cmd.Context()
	log, err := logger(c.Log)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "trilobite-container-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	card, err := containerModel(ctx, &c, home, mlDir)
	if err != nil {
		return err
	}
	rt, err := openRuntime(c.ORT)
	if err != nil {
		return err
	}
	rec := telemetry.New()
	registry := serving.New(servingConfig(rt, c, rec))
	defer registry.Close()
	_, done, err := registry.Pin(ctx, card.Ref())
	if err != nil {
		return err
	}
	defer done()
	addr := containerAddr(c.Addr, cmd.Flags().Changed("addr"))
	listener, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	contract := &container.Contract{Model: card.Ref(), APIs: container.APIs{
		Native:    native.New(native.Config{Models: registry, Version: version, Log: log}),
		Inference: inference.New(inference.Config{Models: registry, Version: version, Log: log}),
	}}
	routes, err := containerRoutes(contract)
	if err != nil {
		return err
	}
	log.InfoContext(ctx, "ready", "addr", listener.Addr().String(), "container", true, "model", card.Ref())
	return server.New(server.Config{
		Only: routes, Meter: rec, Log: log, Version: version, Limits: server.Limits{Request: c.Limits.Request},
	}).Serve(ctx, listener)
}

// containerAddr is where a container listens: on every address, on the port that its
// cloud names, or 8080, which is both clouds' default.
func containerAddr(addr string, chosen bool) string {
	if chosen {
		return addr
	}
	return "0.0.0.0:" + cmp.Or(os.Getenv("SAGEMAKER_BIND_TO_PORT"), os.Getenv("AIP_HTTP_PORT"), "8080")
}

// containerRoutes are SageMaker's two routes, and those that Vertex AI names.
func containerRoutes(c *container.Contract) (map[string]server.API, error) {
	api := func(name string, h http.HandlerFunc) server.API {
		return server.API{Name: name, Handler: h, Error: container.WriteError}
	}
	routes := map[string]server.API{"/ping": api("ping", c.Ping), "/invocations": api("invocations", c.Invocations)}
	for name, a := range map[string]server.API{"AIP_HEALTH_ROUTE": api("ping", c.Ping), "AIP_PREDICT_ROUTE": api("predict", c.Invocations)} {
		route := os.Getenv(name)
		if route == "" || routes[route].Name == a.Name {
			continue
		}
		if _, taken := routes[route]; taken || !strings.HasPrefix(route, "/") || strings.ContainsAny(route, "{} ") {
			return nil, &trilobite.Error{Op: "serve", Code: trilobite.Invalid, Msg: fmt.Sprintf("%s is %q; it is a path of its own, such as /predict.", name, route)}
		}
		routes[route] = a
	}
	return routes, nil
}

// containerModel finds the model to serve. Where it comes from outside it is copied into
// home, which becomes the settings' own.
func containerModel(ctx context.Context, c *config.Config, home, mlDir string) (zoo.Model, error) {
	if from := os.Getenv("AIP_STORAGE_URI"); from != "" {
		dir := filepath.Join(home, "fetched")
		if err := fetchFolder(ctx, from, dir); err != nil {
			return zoo.Model{}, fmt.Errorf("reading the model of AIP_STORAGE_URI: %w", err)
		}
		c.Home = home
		return zoo.NewStore(home).Adopt(dir)
	}
	m, err := zoo.NewStore(home).Adopt(filepath.Join(mlDir, "model"))
	switch {
	case err == nil:
		c.Home = home
		return m, nil
	case trilobite.CodeOf(err) != trilobite.NotFound:
		return zoo.Model{}, err
	case len(c.Models) == 1:
		return zoo.NewStore(c.Home).Get(c.Models[0])
	}
	return zoo.Model{}, &trilobite.Error{Op: "serve", Code: trilobite.NotFound, Err: err, Msg: fmt.Sprintf(
		"There is no model to serve: put card.yaml, model.onnx and labels.json into %s, set AIP_STORAGE_URI, or name one with --models.", filepath.Join(mlDir, "model"))}
}

// maxModelFile bounds a file of a fetched model: 8 GiB.
const maxModelFile = 8 << 30

// fetchFolder copies the files of a model from a bucket's folder, gs://BUCKET/FOLDER, s3://
// or file://.
func fetchFolder(ctx context.Context, from, dir string) (err error) {
	u, err := url.Parse(from)
	if err != nil {
		return err
	}
	prefix := strings.Trim(u.Path, "/")
	if u.Scheme == "file" {
		prefix = "" // the folder itself is the bucket
	} else {
		u.Path = ""
	}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"card.yaml", "model.onnx", "labels.json"} {
		if err := fetchFile(ctx, bucket, path.Join(prefix, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func fetchFile(ctx context.Context, bucket *blob.Bucket, key, to string) (err error) {
	r, err := bucket.NewReader(ctx, key, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	if r.Size() > maxModelFile {
		return fmt.Errorf("%d bytes are more than a file of a model may have, %d", r.Size(), int64(maxModelFile))
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, io.LimitReader(r, maxModelFile))
	return err
}
