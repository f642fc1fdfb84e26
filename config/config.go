// Package config gathers the settings of the program from flags, environment and a
// YAML file, in that order of precedence, over built-in defaults.
//
// A setting has one name everywhere: `tls.cert` in the file is --tls-cert as a flag
// and TRILOBITE_TLS_CERT in the environment. Start at Config for what there is and
// at Load for how it is read.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"trilobite"
)

// Config is what is in force.
type Config struct {
	Home      string   `koanf:"home"`      // model store, keys and caches
	Packages  string   `koanf:"packages"`  // folder of fetched packages; default HOME/packages
	Database  string   `koanf:"database"`  // postgres:// URL of the records; empty: a file in Home
	Addr      string   `koanf:"addr"`      // host:port to listen on
	Models    []string `koanf:"models"`    // models that DetectLabels merges, name or name@version
	Auth      bool     `koanf:"auth"`      // require keys
	Container bool     `koanf:"container"` // keep the contracts of SageMaker's and Vertex AI's containers
	Insecure  bool     `koanf:"insecure"`  // allow a non-loopback address without keys
	Hosts     []string `koanf:"hosts"`     // further Host names accepted while auth is off
	TLS       TLS      `koanf:"tls"`
	Buckets   []string `koanf:"buckets"` // [ACCOUNT:]NAME=URL: an S3 or GCS bucket's name and its gocloud.dev/blob URL
	S3        S3       `koanf:"s3"`
	Datasets  Datasets `koanf:"datasets"`
	Fetch     Fetch    `koanf:"fetch"`
	ORT       ORT      `koanf:"ort"`
	Limits    Limits   `koanf:"limits"`
	Serving   Serving  `koanf:"serving"`
	Training  Training `koanf:"training"`
	Keep      Keep     `koanf:"keep"`
	Quota     Quota    `koanf:"quota"`
	Log       Log      `koanf:"log"`
}

// TLS names the certificate and key files; both or none.
type TLS struct {
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
}

// S3 configures the buckets that clients make.
type S3 struct {
	URL string `koanf:"url"` // gocloud.dev/blob URL; empty: the folder s3 in Home
}

// Datasets configures what `trilobite dataset import` keeps.
type Datasets struct {
	URL string `koanf:"url"` // gocloud.dev/blob URL of the pictures; empty: the folder blobs in Home
}

// Fetch says which hosts images may be fetched from by URL; none: no fetching.
type Fetch struct {
	Hosts []string `koanf:"hosts"`
}

// ORT configures ONNX Runtime.
type ORT struct {
	Library  string        `koanf:"library"`  // path of the shared library; default: found beside the program
	Provider string        `koanf:"provider"` // cpu or cuda
	Device   int           `koanf:"device"`   // CUDA device
	Threads  int           `koanf:"threads"`  // cores to use; 0: all
	Queue    int           `koanf:"queue"`    // waiting runs per model before answering "throttled"
	Batch    int           `koanf:"batch"`    // largest dynamic batch; 1: off
	Wait     time.Duration `koanf:"wait"`     // longest wait for a batch to fill
}

// Limits bound what one request and all of them together may take.
type Limits struct {
	Memory  int64         `koanf:"memory"`  // bytes that decoded images may take at once
	Pixels  int64         `koanf:"pixels"`  // of one image
	Request time.Duration `koanf:"request"` // time for one request
}

// Serving says how models of the store are served.
type Serving struct {
	Memory    int64    `koanf:"memory"`    // bytes that loaded models may take together
	Operators []string `koanf:"operators"` // accounts whose keys may load and unload models and set pipelines; without auth everyone may
}

// Training bounds the training of custom models.
type Training struct {
	Budget time.Duration `koanf:"budget"` // time for the steps of one; 0: none
	Search time.Duration `koanf:"search"` // of it, for trying ways to learn; 0: by the data
	// Workers is how many go on at once in a server or worker; 0: other workers train.
	Workers int    `koanf:"workers"`
	Disk    int64  `koanf:"disk"`   // bytes that must be free for one to begin; 0: any
	Models  string `koanf:"models"` // gocloud.dev/blob URL that machines share; empty: the home
}

// Quota bounds what one account may have of Custom Labels and in its buckets; 0: no bound.
type Quota struct {
	Projects  int   `koanf:"projects"`
	Versions  int   `koanf:"versions"`
	Trainings int   `koanf:"trainings"` // at once
	Running   int   `koanf:"running"`   // versions
	Bytes     int64 `koanf:"bytes"`     // of the buckets that its clients made
}

// Keep says for how long things stay that can be had again, or are no longer needed, and how
// often a server looks for them; 0: forever, and never.
type Keep struct {
	Images  time.Duration `koanf:"images"`  // of custom trainings, since the last that used them
	Runs    time.Duration `koanf:"runs"`    // of trilobite train, since they started
	Uploads time.Duration `koanf:"uploads"` // of S3 that are not completed
	Audit   time.Duration `koanf:"audit"`   // of what changed what
	Every   time.Duration `koanf:"every"`
}

// Log says how to log.
type Log struct {
	Level  string `koanf:"level"`  // debug, info, warn or error
	Format string `koanf:"format"` // text or json
}

// defaults are the settings when nobody says otherwise.
func defaults() map[string]any {
	return map[string]any{
		"home":              defaultHome(),
		"packages":          "",
		"database":          "",
		"addr":              "127.0.0.1:8080",
		"models":            []string{"coco-ssd", "efficientnet-lite0"},
		"auth":              false,
		"container":         false,
		"insecure":          false,
		"hosts":             []string{},
		"tls.cert":          "",
		"tls.key":           "",
		"buckets":           []string{},
		"s3.url":            "",
		"datasets.url":      "",
		"fetch.hosts":       []string{},
		"ort.library":       "",
		"ort.provider":      "cpu",
		"ort.device":        0,
		"ort.threads":       0,
		"ort.queue":         64,
		"ort.batch":         1,
		"ort.wait":          2 * time.Millisecond,
		"limits.memory":     int64(512 << 20),
		"limits.pixels":     int64(120_000_000),
		"limits.request":    30 * time.Second,
		"serving.memory":    int64(2 << 30),
		"serving.operators": []string{},
		"training.budget":   15 * time.Minute,
		"training.search":   time.Duration(0),
		"training.workers":  1,
		"training.models":   "",
		"training.disk":     int64(1 << 30),
		"quota.projects":    0,
		"quota.versions":    0,
		"quota.trainings":   0,
		"quota.running":     0,
		"quota.bytes":       int64(0),
		"keep.images":       7 * 24 * time.Hour,
		"keep.runs":         time.Duration(0),
		"keep.uploads":      7 * 24 * time.Hour,
		"keep.audit":        time.Duration(0),
		"keep.every":        24 * time.Hour,
		"log.level":         "info",
		"log.format":        "text",
	}
}

// defaultHome is the user's data folder, as the XDG base directory specification and
// Apple's guidelines place it.
func defaultHome() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "trilobite")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "trilobite-data"
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "trilobite")
	}
	return filepath.Join(home, ".local", "share", "trilobite")
}

// Origin says where a setting came from: "default", "file", "environment" or "flag".
type Origin map[string]string

// Load reads path (if it is not empty), the environment and the flags that were set.
// It fails on a name that is no setting, naming it and where it stands.
func Load(path string, flags *pflag.FlagSet) (Config, Origin, error) {
	k, origin := koanf.New("."), Origin{}
	known := defaults()
	layer := func(name string, p koanf.Provider, parser koanf.Parser) error {
		l := koanf.New(".")
		if err := l.Load(p, parser); err != nil {
			return fmt.Errorf("reading settings from the %s: %w", name, err)
		}
		for _, key := range l.Keys() {
			if _, ok := known[key]; !ok {
				return &trilobite.Error{Op: "config.Load", Code: trilobite.Invalid, Msg: fmt.Sprintf("The %s sets %q, which is no setting; `trilobite config` lists them all.", name, key)}
			}
			origin[key] = name
		}
		return k.Merge(l)
	}
	if err := layer("default", confmap.Provider(known, "."), nil); err != nil {
		return Config{}, nil, err
	}
	if path != "" {
		if err := layer("file", file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, nil, err
		}
	}
	if err := layer("environment", env.Provider(".", env.Opt{Prefix: Prefix, TransformFunc: fromEnv(known)}), nil); err != nil {
		return Config{}, nil, err
	}
	if flags != nil {
		if err := layer("flag", posflag.ProviderWithFlag(flags, ".", nil, fromFlag(flags, known)), nil); err != nil {
			return Config{}, nil, err
		}
	}
	var c Config
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, nil, fmt.Errorf("reading settings: %w", err)
	}
	if c.Packages == "" {
		c.Packages = filepath.Join(c.Home, "packages")
	}
	return c, origin, c.check()
}

// Prefix begins the name of every environment variable that is a setting.
const Prefix = "TRILOBITE_"

// notSettings are variables with the prefix that something else reads: the secret
// that no file or `trilobite config` may show, the settings file, and the data folder
// of evaluations.
var notSettings = []string{"TRILOBITE_MASTER_KEY", "TRILOBITE_CONFIG", "TRILOBITE_DATA"}

// fromEnv turns TRILOBITE_TLS_CERT into tls.cert; lists are split at commas.
func fromEnv(known map[string]any) func(k, v string) (string, any) {
	return func(name, v string) (string, any) {
		if slices.Contains(notSettings, name) {
			return "", nil
		}
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, Prefix)), "_", ".")
		if _, list := known[key].([]string); list {
			return key, splitList(v)
		}
		return key, v
	}
}

// fromFlag turns a set --tls-cert into tls.cert and leaves out every flag that is no
// setting or was not given.
func fromFlag(flags *pflag.FlagSet, known map[string]any) func(f *pflag.Flag) (string, any) {
	return func(f *pflag.Flag) (string, any) {
		key := strings.ReplaceAll(f.Name, "-", ".")
		if _, ok := known[key]; !ok || !f.Changed {
			return "", nil
		}
		return key, posflag.FlagVal(flags, f)
	}
}

func splitList(v string) []string {
	list := []string{}
	for s := range strings.SplitSeq(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// check refuses values that cannot be meant, naming the setting.
func (c Config) check() error {
	bad := func(format string, args ...any) error {
		return &trilobite.Error{Op: "config.check", Code: trilobite.Invalid, Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case (c.TLS.Cert == "") != (c.TLS.Key == ""):
		return bad("tls.cert and tls.key go together; only one is set.")
	case c.ORT.Provider != "cpu" && c.ORT.Provider != "cuda":
		return bad("ort.provider is %q; it is cpu or cuda.", c.ORT.Provider)
	case c.ORT.Threads < 0 || c.ORT.Queue < 1 || c.ORT.Batch < 1:
		return bad("ort.threads must be at least 0, ort.queue and ort.batch at least 1.")
	case c.Limits.Memory < 64<<20:
		return bad("limits.memory is %d bytes; at least 64 MiB are needed.", c.Limits.Memory)
	case c.Limits.Pixels < 1 || c.Limits.Request <= 0:
		return bad("limits.pixels and limits.request must be above 0.")
	case c.Serving.Memory < 64<<20:
		return bad("serving.memory is %d bytes; at least 64 MiB are needed.", c.Serving.Memory)
	case c.Training.Budget < 0:
		return bad("training.budget is %s; it is a time, or 0 for none.", c.Training.Budget)
	case c.Training.Workers < 0:
		return bad("training.workers is %d; it is 0 or more.", c.Training.Workers)
	case c.Training.Search < 0:
		return bad("training.search is %s; it is a time, or 0 to let the data decide.", c.Training.Search)
	case min(c.Quota.Projects, c.Quota.Versions, c.Quota.Trainings, c.Quota.Running) < 0 || min(c.Quota.Bytes, c.Training.Disk) < 0:
		return bad("quota.projects, quota.versions, quota.trainings, quota.running, quota.bytes and training.disk are 0 or more.")
	case min(c.Keep.Images, c.Keep.Runs, c.Keep.Uploads, c.Keep.Audit, c.Keep.Every) < 0:
		return bad("keep.images, keep.runs, keep.uploads, keep.audit and keep.every are times, or 0.")
	case c.Log.Format != "text" && c.Log.Format != "json":
		return bad("log.format is %q; it is text or json.", c.Log.Format)
	}
	_, err := c.NamedBuckets()
	return err
}

// Bucket is an entry of Config.Buckets.
type Bucket struct {
	Account string // 12 digits; empty: every account may read it
	Name    string
	URL     string
}

// NamedBuckets takes Config.Buckets apart.
func (c Config) NamedBuckets() ([]Bucket, error) {
	all := make([]Bucket, 0, len(c.Buckets))
	for _, text := range c.Buckets {
		name, url, ok := strings.Cut(text, "=")
		var b Bucket
		if account, rest, scoped := strings.Cut(name, ":"); scoped {
			b.Account, name = account, rest
		}
		b.Name, b.URL = name, url
		if !ok || b.Name == "" || !strings.Contains(b.URL, "://") {
			return nil, &trilobite.Error{Op: "config.NamedBuckets", Code: trilobite.Invalid, Msg: fmt.Sprintf("buckets holds %q; it is [ACCOUNT:]NAME=URL, for example photos=file:///srv/photos.", text)}
		}
		all = append(all, b)
	}
	return all, nil
}

// Value is one setting by its dotted name.
type Value struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Values lists every setting of c in the order of Config's fields.
func Values(c Config) []Value {
	var all []Value
	list(&all, "", reflect.ValueOf(c))
	return all
}

func list(all *[]Value, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		name := prefix + v.Type().Field(i).Tag.Get("koanf")
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			list(all, name+".", f)
		case f.Type() == reflect.TypeFor[time.Duration]():
			*all = append(*all, Value{name, time.Duration(f.Int()).String()})
		default:
			*all = append(*all, Value{name, f.Interface()})
		}
	}
}
