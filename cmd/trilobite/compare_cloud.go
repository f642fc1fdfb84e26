package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trilobite"
	"trilobite/compare"
	"trilobite/compare/cloud"
	"trilobite/dataset"
	"trilobite/dataset/masks"
	"trilobite/price"
)

// compareCloud are the flags of routes that are paid.
type compareCloud struct {
	region, vision, vertex string
	classes                string // of Vertex' masks, a file
	spend, rate            float64
	unpriced, dry          bool
	clients                int
}

func (k *compareCloud) addFlags(fl *pflag.FlagSet) {
	fl.StringVar(&k.region, "aws-region", "", "`region` of Rekognition (default: as the AWS SDK finds it)")
	fl.StringVar(&k.vision, "vision-endpoint", "", "ask another server that speaks Google Vision, by `URL` and without credentials")
	fl.StringVar(&k.vertex, "vertex-endpoint", "", "ask another server that speaks Vertex AI over gRPC, by `HOST:PORT` and without credentials")
	fl.StringVar(&k.classes, "vertex-classes", "", "table of masks `file` that says what the pixels of a Vertex model's masks mean (default: the classes in the data set's order)")
	fl.Float64Var(&k.spend, "max-spend", 0, "most `dollars` that all calls of this report may cost, over all its runs")
	fl.BoolVar(&k.unpriced, "allow-unpriced", false, "make calls whose price nobody knows; the cap cannot count them")
	fl.BoolVar(&k.dry, "dry-run", false, "say what would be asked of paid services and what it would cost, and stop")
	fl.Float64Var(&k.rate, "rate", 5, "`calls` a second to each paid service at most")
	fl.IntVar(&k.clients, "calls-at-a-time", 4, "`calls` under way to a paid service")
}

// asker is a service's Asker with where it is.
type asker interface {
	compare.Asker
	Host() string
}

// remote makes a paid route. Its address is found by making a client and calling nothing.
func (m *routeMaker) remote(r compare.Route, feature string, byCall bool, open func(ctx context.Context) (asker, error)) (compare.Route, error) {
	r.Open = func(ctx context.Context, _ string) (compare.Asker, error) { return open(ctx) }
	r.Remote = &compare.Remote{Feature: feature, Rate: m.f.cloud.rate, Retries: 6, Clients: m.f.cloud.clients}
	a, err := open(m.cmd.Context())
	if _, missing := errors.AsType[*compare.MissingError](err); missing {
		return r, nil // Run says so
	} else if err != nil {
		return r, err
	}
	r.Remote.Host = a.Host()
	if at, ok := a.(interface{ Region() string }); ok {
		r.Remote.Region = at.Region()
	}
	if p, ok := m.book.Find(feature, r.Remote.Region); ok && byCall {
		if usd, known := p.MostPerUnit(); known {
			cost := compare.Money(usd)
			r.Remote.PerCall = &cost
		}
	} else if !byCall { // billed by the hour that the model runs, called or not
		r.Remote.PerCall = new(compare.Money)
	}
	return r, a.Close()
}

func (m *routeMaker) rekognition(string) (compare.Route, error) {
	o := cloud.Options{Task: m.task, Region: m.f.cloud.region}
	return m.remote(compare.Route{Kind: compare.Pretrained, Service: "rekognition"}, "rekognition/detect-labels", true,
		func(ctx context.Context) (asker, error) { return cloud.NewRekognition(ctx, "", o) })
}

func (m *routeMaker) customLabels(model string) (compare.Route, error) {
	if !strings.HasPrefix(model, "arn:") {
		return compare.Route{}, errors.New("name a running model: custom-labels=arn:aws:rekognition:…:project/NAME/version/NAME/…")
	}
	o := cloud.Options{Task: m.task, Region: m.f.cloud.region}
	return m.remote(compare.Route{Kind: compare.Custom, Service: "custom-labels"}, "custom-labels/inference", false,
		func(ctx context.Context) (asker, error) { return cloud.NewRekognition(ctx, model, o) })
}

func (m *routeMaker) vision(string) (compare.Route, error) {
	feature := "vision/label-detection"
	if m.task == compare.Detect {
		feature = "vision/object-localization"
	}
	o := cloud.Options{Task: m.task, Endpoint: m.f.cloud.vision}
	return m.remote(compare.Route{Kind: compare.Pretrained, Service: "vision"}, feature, true,
		func(ctx context.Context) (asker, error) { return cloud.NewVision(ctx, o) })
}

func (m *routeMaker) vertex(endpoint string) (compare.Route, error) {
	feature := map[compare.Task]string{
		compare.Classify: "vertex/online-classification", compare.Detect: "vertex/online-detection", compare.Segment: "vertex/online-segmentation",
	}[m.task]
	o := cloud.Options{Task: m.task, Endpoint: m.f.cloud.vertex}
	if m.task == compare.Segment {
		var err error
		if o.Pixels, err = m.pixels(); err != nil {
			return compare.Route{}, err
		}
	}
	return m.remote(compare.Route{Kind: compare.Custom, Service: "vertex"}, feature, false,
		func(ctx context.Context) (asker, error) { return cloud.NewVertex(ctx, endpoint, o) })
}

// pixels says what the pixels of a vendor's masks mean.
func (m *routeMaker) pixels() (*dataset.Set, error) {
	out := &dataset.Set{Classes: m.classes, Ignore: dataset.NoIgnore}
	if m.f.cloud.classes == "" {
		return out, nil
	}
	table, err := os.Open(m.f.cloud.classes)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	if err := masks.ParseTable(table, out); err != nil {
		return nil, fmt.Errorf("--vertex-classes %s: %w", m.f.cloud.classes, err)
	}
	return out, nil
}

// allow plans the paid calls, asks for a cap where none was said, and opens the budget. It
// reports false where the run is to end here.
func (s *comparison) allow(cmd *cobra.Command, f compareFlags, book price.Book) (bool, error) {
	plan, err := compare.Plan(cmd.Context(), s.config)
	if err != nil {
		return false, err
	}
	open, known := 0, true
	var most compare.Money
	for _, p := range plan {
		cost, ok := p.Cost()
		most, known, open = most+cost, known && ok, open+p.Images-p.Kept
		describePlan(cmd.ErrOrStderr(), p, s.config.Routes, book)
	}
	if f.cloud.dry {
		if len(plan) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "no route is paid: nothing would leave this machine")
			return false, nil
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "would make %d calls for at most $%.4f%s\n", open, most, unknownToo(known))
		return false, err
	}
	if len(plan) == 0 {
		return true, nil
	}
	limit := compare.Money(f.cloud.spend)
	if open > 0 && !cmd.Flags().Changed("max-spend") {
		if limit, err = askForCap(cmd, open, most, known); err != nil {
			return false, err
		}
	}
	s.config.Budget, err = compare.OpenBudget(f.out, limit, f.cloud.unpriced)
	return err == nil, err
}

func describePlan(w io.Writer, p compare.Planned, routes []compare.Route, book price.Book) {
	fmt.Fprintf(w, "%s: %d images to %s, %d of them answered already; %.1f MB leave this machine", p.Route, p.Images, p.Host, p.Kept, float64(p.Bytes)/(1<<20))
	for _, r := range routes {
		if r.Name != p.Route {
			continue
		}
		price, _ := book.Find(r.Remote.Feature, r.Remote.Region)
		switch cost, known := p.Cost(); {
		case !known:
			fmt.Fprint(w, "; nobody knows the price")
		case price.Unit == "hour":
			fmt.Fprintf(w, "; no fee per call, but %s is billed by the hour while it runs", price.Title)
		default:
			fmt.Fprintf(w, "; at most $%.4f (%s, %s, %s)", cost, price.State, price.Date, price.Source)
		}
	}
	fmt.Fprintln(w)
}

func unknownToo(known bool) string {
	if known {
		return ""
	}
	return ", and calls whose price nobody knows"
}

// askForCap asks the person at the terminal; where there is none, --max-spend must say it.
func askForCap(cmd *cobra.Command, calls int, most compare.Money, known bool) (compare.Money, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		return 0, &trilobite.Error{Op: "compare", Code: trilobite.Invalid, Msg: fmt.Sprintf(
			"%d calls to paid services would cost at most $%.4f%s. Say how much may be spent: --max-spend %.2f; --dry-run shows the plan.", calls, most, unknownToo(known), math.Ceil(max(0.01, float64(most))*100-1e-6)/100)}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d calls for at most $%.4f%s. Spend up to how many dollars? ", calls, most, unknownToo(known))
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && line == "" {
		return 0, errors.New("no answer: nothing was asked of paid services")
	}
	limit, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(line), "$"), 64)
	if err != nil || !(limit >= 0) {
		return 0, fmt.Errorf("%q is no amount of dollars: nothing was asked of paid services", strings.TrimSpace(line))
	}
	return compare.Money(limit), nil
}
