package rekognition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	imagepng "image/png"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"

	"trilobite/auth"
	"trilobite/custom"
	"trilobite/geom"
	"trilobite/jobs"
	"trilobite/objects"
	"trilobite/store/sqlite"
)

// learner stands for a trainer whose models see what a test says.
type learner struct{ sees []custom.Prediction }

func (l *learner) Train(_ context.Context, r custom.TrainingRun) (custom.TrainingResult, error) {
	out := custom.TrainingResult{Model: r.Name, Base: "learner", Thresholds: make([]float64, len(r.Train.Classes))}
	for i := range out.Thresholds {
		out.Thresholds[i] = 0.5
	}
	for _, img := range r.Test.Images {
		out.Predictions = append(out.Predictions, []custom.Prediction{{Class: img.Classes[0], Score: 0.75}})
	}
	return out, nil
}

func (l *learner) Load(context.Context, string, int) error { return nil }

func (l *learner) Unload(context.Context, string) error { return nil }

func (l *learner) Remove(context.Context, string) error { return nil }

func (l *learner) Predict(context.Context, string, int, []byte) ([]custom.Prediction, int, int, error) {
	return l.sees, 640, 480, nil
}

// plane is a server of Custom Labels with a worker, and clients of two accounts.
type plane struct {
	ours, theirs *sdk.Client
	bucket       string // folder of the bucket "bucket"
	learner      *learner
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "trilobite.db"))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := auth.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	p := &plane{bucket: t.TempDir(), learner: &learner{}}
	buckets, err := objects.New(map[string]objects.Bucket{"bucket": {URL: "file://" + p.bucket + "?metadata=skip"}})
	if err != nil {
		t.Fatal(err)
	}
	w := jobs.New(jobs.Config{
		Store: db, Objects: buckets, Trainer: p.learner, Predictor: p.learner, Dir: t.TempDir(), Trainings: 1, Holder: "test", Log: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, db.Driver()) }()
	srv := httptest.NewServer(New(Config{
		Analyzer: &analyzer{}, Objects: buckets, Auth: auth.New(auth.Config{Store: db, Sealer: sealer}), Version: "1.2.3",
		Custom: db, Predictor: p.learner, Closing: ctx.Done(), Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(func() {
		stop()
		srv.Close()
		if err := errors.Join(<-done, buckets.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	client := func(account string) *sdk.Client {
		k, secret, err := (&auth.Keys{Store: db, Sealer: sealer}).Create(t.Context(), auth.NewKey{Account: account})
		if err != nil {
			t.Fatal(err)
		}
		return sdk.New(sdk.Options{Region: "eu-west-1", BaseEndpoint: aws.String(srv.URL), Credentials: credentials.NewStaticCredentialsProvider(k.ID, secret, "")})
	}
	p.ours, p.theirs = client("111111111111"), client("222222222222")
	return p
}

// manifest writes n pictures of each label into the bucket and returns their lines.
func (p *plane) manifest(t *testing.T, name string, n int, labels ...string) []byte {
	t.Helper()
	var lines bytes.Buffer
	for i, l := range labels {
		for j := range n {
			key := fmt.Sprintf("%s-%d-%d.png", name, i, j)
			img := image.NewPaletted(image.Rect(0, 0, 80, 80), color.Palette{color.RGBA{uint8(i), uint8(j), uint8(len(name)), 255}})
			var data bytes.Buffer
			if err := imagepng.Encode(&data, img); err != nil {
				t.Fatal(err)
			}
			p.put(t, key, data.Bytes())
			fmt.Fprintf(&lines, `{"source-ref":"s3://bucket/%s","l":1,"l-metadata":{"class-name":%q,"confidence":1,"type":"groundtruth/image-classification"}}`+"\n", key, l)
		}
	}
	p.put(t, name, lines.Bytes())
	return lines.Bytes()
}

func (p *plane) put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.bucket, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func manifestOf(name string) *types.GroundTruthManifest {
	return &types.GroundTruthManifest{S3Object: &types.S3Object{Bucket: aws.String("bucket"), Name: aws.String(name)}}
}

func (p *plane) project(t *testing.T, name string) *string {
	t.Helper()
	out, err := p.ours.CreateProject(t.Context(), &sdk.CreateProjectInput{ProjectName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return out.ProjectArn
}

func (p *plane) dataset(t *testing.T, in *sdk.CreateDatasetInput, want types.DatasetStatus) *string {
	t.Helper()
	out, err := p.ours.CreateDataset(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	p.becomes(t, out.DatasetArn, want)
	return out.DatasetArn
}

// becomes waits for a data set's state.
func (p *plane) becomes(t *testing.T, arn *string, want types.DatasetStatus) *types.DatasetDescription {
	t.Helper()
	for range 200 {
		d, err := p.ours.DescribeDataset(t.Context(), &sdk.DescribeDatasetInput{DatasetArn: arn})
		if err != nil {
			t.Fatal(err)
		}
		if d.DatasetDescription.Status == want {
			return d.DatasetDescription
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not become %s", *arn, want)
	return nil
}

func exceptionOf(err error) string {
	if e, ok := asType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func second[T any](_ T, err error) error { return err }

// TestTutorial follows the service's tutorial from project to detection and back.
func TestTutorial(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	p.manifest(t, "train.manifest", 10, "cat", "dog")
	project := p.project(t, "pets")
	if !strings.HasPrefix(*project, "arn:aws:rekognition:eu-west-1:111111111111:project/pets/") {
		t.Errorf("ARN %s", *project)
	}
	train := p.dataset(t, &sdk.CreateDatasetInput{ProjectArn: project, DatasetType: types.DatasetTypeTrain, DatasetSource: &types.DatasetSource{GroundTruthManifest: manifestOf("train.manifest")}}, types.DatasetStatusCreateComplete)
	test := p.dataset(t, &sdk.CreateDatasetInput{ProjectArn: project, DatasetType: types.DatasetTypeTest}, types.DatasetStatusCreateComplete)
	if _, err := p.ours.DistributeDatasetEntries(ctx, &sdk.DistributeDatasetEntriesInput{Datasets: []types.DistributeDataset{{Arn: train}, {Arn: test}}}); err != nil {
		t.Fatal(err)
	}
	if d := p.becomes(t, test, types.DatasetStatusUpdateComplete); *d.DatasetStats.TotalEntries != 4 || *d.DatasetStats.TotalLabels != 2 {
		t.Errorf("test set %+v", *d.DatasetStats)
	}
	if _, err := p.ours.UpdateDatasetEntries(ctx, &sdk.UpdateDatasetEntriesInput{DatasetArn: train, Changes: &types.DatasetChanges{GroundTruth: p.manifest(t, "more", 1, "cat")}}); err != nil {
		t.Fatal(err)
	}
	if d := p.becomes(t, train, types.DatasetStatusUpdateComplete); *d.DatasetStats.TotalEntries != 17 || *d.DatasetStats.ErrorEntries != 0 {
		t.Errorf("training set %+v", *d.DatasetStats)
	}
	labels, err := p.ours.ListDatasetLabels(ctx, &sdk.ListDatasetLabelsInput{DatasetArn: train})
	if err != nil || len(labels.DatasetLabelDescriptions) != 2 || *labels.DatasetLabelDescriptions[0].LabelStats.EntryCount != 9 {
		t.Errorf("labels %+v, %v", labels, err)
	}
	v, err := p.ours.CreateProjectVersion(ctx, &sdk.CreateProjectVersionInput{
		ProjectArn: project, VersionName: aws.String("v1"), OutputConfig: &types.OutputConfig{S3Bucket: aws.String("bucket"), S3KeyPrefix: aws.String("results")},
		Tags: map[string]string{"team": "vision"},
	})
	if err != nil {
		t.Fatal(err)
	}
	about := &sdk.DescribeProjectVersionsInput{ProjectArn: project, VersionNames: []string{"v1"}}
	trained := sdk.NewProjectVersionTrainingCompletedWaiter(p.ours, func(o *sdk.ProjectVersionTrainingCompletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Minute, time.Minute
	})
	done, err := trained.WaitForOutput(ctx, about, time.Minute) // its first call is held until the state changes
	if err != nil {
		t.Fatal(err)
	}
	d := done.ProjectVersionDescriptions[0]
	if *d.EvaluationResult.F1Score != 1 || *d.BillableTrainingTimeInSeconds < 1 || d.TrainingDataResult.Output == nil || d.TestingDataResult.Validation == nil ||
		*d.EvaluationResult.Summary.S3Object.Name != "results/EvaluationSummary-pets-v1.json" || *d.OutputConfig.S3KeyPrefix != "results" {
		t.Errorf("version %+v", d)
	}
	detect := &sdk.DetectCustomLabelsInput{ProjectVersionArn: v.ProjectVersionArn, Image: &types.Image{Bytes: jpeg(640, 480)}}
	if err := second(p.ours.DetectCustomLabels(ctx, detect)); exceptionOf(err) != "ResourceNotReadyException" {
		t.Errorf("before the start: %v", err)
	}
	if _, err := p.ours.StartProjectVersion(ctx, &sdk.StartProjectVersionInput{ProjectVersionArn: v.ProjectVersionArn, MinInferenceUnits: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	running := sdk.NewProjectVersionRunningWaiter(p.ours)
	if err := running.Wait(ctx, about, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	p.learner.sees = []custom.Prediction{{Class: 0, Score: 0.4, Box: &geom.Rect{X: 64, Y: 48, W: 320, H: 240}}, {Class: 1, Score: 0.75}}
	for name, tt := range map[string]struct {
		least *float32
		most  *int32
		want  string
	}{
		"thresholds of the labels": {nil, nil, "dog"},
		"everything":               {aws.Float32(0), nil, "dog cat"},
		"the surest":               {aws.Float32(0), aws.Int32(1), "dog"},
		"above 40":                 {aws.Float32(40.5), nil, "dog"},
		"none":                     {aws.Float32(100), nil, ""},
	} {
		detect.MinConfidence, detect.MaxResults = tt.least, tt.most
		out, err := p.ours.DetectCustomLabels(ctx, detect)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range out.CustomLabels {
			names = append(names, *l.Name)
			if *l.Name == "cat" && (*l.Geometry.BoundingBox.Left != 0.1 || *l.Geometry.BoundingBox.Height != 0.5) || *l.Name == "dog" && (*l.Confidence != 75 || l.Geometry != nil) {
				t.Errorf("%s: label %+v", name, l)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if err := second(p.ours.DeleteProjectVersion(ctx, &sdk.DeleteProjectVersionInput{ProjectVersionArn: v.ProjectVersionArn})); exceptionOf(err) != "ResourceInUseException" {
		t.Errorf("deletion while it runs: %v", err)
	}
	tags, err := p.ours.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: v.ProjectVersionArn})
	if err != nil || tags.Tags["team"] != "vision" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	if _, err := p.ours.StopProjectVersion(ctx, &sdk.StopProjectVersionInput{ProjectVersionArn: v.ProjectVersionArn}); err != nil {
		t.Fatal(err)
	}
	if out, err := p.ours.DescribeProjectVersions(ctx, about); err != nil || out.ProjectVersionDescriptions[0].Status != types.ProjectVersionStatusStopped {
		t.Errorf("after the stop: %+v, %v", out, err)
	}
}

// TestPages walks lists page by page, and gives tokens where they do not belong.
func TestPages(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	var arns []string
	for i := range 5 {
		arns = append(arns, *p.project(t, fmt.Sprint("p", i)))
	}
	slices.Reverse(arns)
	var got []string
	pages := sdk.NewDescribeProjectsPaginator(p.ours, &sdk.DescribeProjectsInput{MaxResults: aws.Int32(2)})
	var other *string
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out.ProjectDescriptions {
			got = append(got, *d.ProjectArn)
		}
		if out.NextToken != nil {
			other = out.NextToken
		}
	}
	if !slices.Equal(got, arns) {
		t.Errorf("projects %v, want %v", got, arns)
	}
	for name, err := range map[string]error{
		"a made-up token":     second(p.ours.DescribeProjects(ctx, &sdk.DescribeProjectsInput{NextToken: aws.String("abc")})),
		"another question's":  second(p.ours.DescribeProjects(ctx, &sdk.DescribeProjectsInput{NextToken: other, ProjectNames: []string{"p1"}})),
		"another operation's": second(p.ours.DescribeProjectVersions(ctx, &sdk.DescribeProjectVersionsInput{ProjectArn: &arns[0], NextToken: other})),
		"another account's":   second(p.theirs.DescribeProjects(ctx, &sdk.DescribeProjectsInput{NextToken: other})),
	} {
		if exceptionOf(err) != "InvalidPaginationTokenException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.ours.DescribeProjects(ctx, &sdk.DescribeProjectsInput{NextToken: aws.String("")}); err != nil {
		t.Errorf("an empty token, as the service's examples send: %v", err)
	}
}

// TestRefusals has a row for what each operation refuses.
func TestRefusals(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	project := p.project(t, "a")
	train := p.dataset(t, &sdk.CreateDatasetInput{ProjectArn: project, DatasetType: types.DatasetTypeTrain}, types.DatasetStatusCreateComplete)
	version := strings.Replace(*project, "project/a/", "project/a/version/v/", 1)
	out := &types.OutputConfig{S3Bucket: aws.String("bucket")}
	data := &types.TrainingData{Assets: []types.Asset{{GroundTruthManifest: manifestOf("m.manifest")}}}
	policy := func(doc string) error {
		return second(p.ours.PutProjectPolicy(ctx, &sdk.PutProjectPolicyInput{ProjectArn: project, PolicyName: aws.String("p"), PolicyDocument: &doc}))
	}
	tags := func(from, to int) error {
		some := map[string]string{}
		for i := range to - from {
			some[fmt.Sprint("tag", from+i)] = ""
		}
		return second(p.ours.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: project, Tags: some}))
	}
	if err := tags(0, 150); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"201 tags at once", tags(0, 201), "ValidationException"},
		{"201 tags in two calls", tags(150, 201), "ServiceQuotaExceededException"},
		{"a name that is taken", second(p.ours.CreateProject(ctx, &sdk.CreateProjectInput{ProjectName: aws.String("a")})), "ResourceInUseException"},
		{"a name with a slash", second(p.ours.CreateProject(ctx, &sdk.CreateProjectInput{ProjectName: aws.String("../a")})), "ValidationException"},
		{"AutoUpdate without adapters", second(p.ours.CreateProject(ctx, &sdk.CreateProjectInput{ProjectName: aws.String("b"), AutoUpdate: types.ProjectAutoUpdateEnabled})), "InvalidParameterException"},
		{"a second training set", second(p.ours.CreateDataset(ctx, &sdk.CreateDatasetInput{ProjectArn: project, DatasetType: types.DatasetTypeTrain})), "ResourceAlreadyExistsException"},
		{"a source of two kinds", second(p.ours.CreateDataset(ctx, &sdk.CreateDatasetInput{ProjectArn: project, DatasetType: types.DatasetTypeTest, DatasetSource: &types.DatasetSource{DatasetArn: train, GroundTruthManifest: manifestOf("m")}})), "InvalidParameterException"},
		{"an ARN that is none", second(p.ours.DescribeDataset(ctx, &sdk.DescribeDatasetInput{DatasetArn: project})), "ValidationException"},
		{"another stamp", second(p.ours.DescribeDataset(ctx, &sdk.DescribeDatasetInput{DatasetArn: aws.String(*train + "1")})), "ResourceNotFoundException"},
		{"another account's ARN", second(p.theirs.DescribeDataset(ctx, &sdk.DescribeDatasetInput{DatasetArn: train})), "AccessDeniedException"},
		{"another account's project", second(p.theirs.DeleteProject(ctx, &sdk.DeleteProjectInput{ProjectArn: project})), "AccessDeniedException"},
		{"another account's list", second(p.theirs.ListDatasetEntries(ctx, &sdk.ListDatasetEntriesInput{DatasetArn: train})), "AccessDeniedException"},
		{"lines that are no entries", second(p.ours.UpdateDatasetEntries(ctx, &sdk.UpdateDatasetEntriesInput{DatasetArn: train, Changes: &types.DatasetChanges{GroundTruth: []byte("{}\n")}})), "InvalidParameterException"},
		{"101 results", second(p.ours.ListDatasetEntries(ctx, &sdk.ListDatasetEntriesInput{DatasetArn: train, MaxResults: aws.Int32(101)})), "ValidationException"},
		{"distribution of an empty set", second(p.ours.DistributeDatasetEntries(ctx, &sdk.DistributeDatasetEntriesInput{Datasets: []types.DistributeDataset{{Arn: train}, {Arn: train}}})), "InvalidParameterException"},
		{"training data without testing data", second(p.ours.CreateProjectVersion(ctx, &sdk.CreateProjectVersionInput{ProjectArn: project, VersionName: aws.String("v"), OutputConfig: out, TrainingData: data})), "InvalidParameterException"},
		{"manifests beside data sets", second(p.ours.CreateProjectVersion(ctx, &sdk.CreateProjectVersionInput{ProjectArn: project, VersionName: aws.String("v"), OutputConfig: out, TrainingData: data, TestingData: &types.TestingData{AutoCreate: true}})), "InvalidParameterException"},
		{"no such version", second(p.ours.StartProjectVersion(ctx, &sdk.StartProjectVersionInput{ProjectVersionArn: &version, MinInferenceUnits: aws.Int32(1)})), "ResourceNotFoundException"},
		{"no unit", second(p.ours.StartProjectVersion(ctx, &sdk.StartProjectVersionInput{ProjectVersionArn: &version, MinInferenceUnits: aws.Int32(0)})), "ValidationException"},
		{"a policy that is none", policy("no JSON"), "MalformedPolicyDocumentException"},
		{"a policy of nothing", policy(`{"Statement":[]}`), "MalformedPolicyDocumentException"},
	} {
		if got := exceptionOf(tt.err); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestCopyAcrossAccounts needs a policy of the source project.
func TestCopyAcrossAccounts(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	p.manifest(t, "m.manifest", 5, "x", "y")
	project := p.project(t, "a")
	v, err := p.ours.CreateProjectVersion(ctx, &sdk.CreateProjectVersionInput{
		ProjectArn: project, VersionName: aws.String("v"), OutputConfig: &types.OutputConfig{S3Bucket: aws.String("bucket")},
		TrainingData: &types.TrainingData{Assets: []types.Asset{{GroundTruthManifest: manifestOf("m.manifest")}}}, TestingData: &types.TestingData{AutoCreate: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := p.ours.DescribeProjectVersions(ctx, &sdk.DescribeProjectVersionsInput{ProjectArn: project, VersionNames: []string{"v"}}); err != nil || out.ProjectVersionDescriptions[0].Status != types.ProjectVersionStatusTrainingCompleted {
		t.Fatalf("version %+v, %v", out, err)
	}
	to, err := p.theirs.CreateProject(ctx, &sdk.CreateProjectInput{ProjectName: aws.String("b")})
	if err != nil {
		t.Fatal(err)
	}
	in := &sdk.CopyProjectVersionInput{
		SourceProjectArn: project, SourceProjectVersionArn: v.ProjectVersionArn, DestinationProjectArn: to.ProjectArn,
		VersionName: aws.String("copy"), OutputConfig: &types.OutputConfig{S3Bucket: aws.String("bucket"), S3KeyPrefix: aws.String("theirs")},
	}
	if err := second(p.theirs.CopyProjectVersion(ctx, in)); exceptionOf(err) != "AccessDeniedException" {
		t.Errorf("without a policy: %v", err)
	}
	statement := func(effect string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"rekognition:CopyProjectVersion","Resource":"arn:aws:rekognition:eu-west-1:111111111111:project/a/version/*/*"}]}`, effect)
	}
	put := func(name, doc string) {
		t.Helper()
		if _, err := p.ours.PutProjectPolicy(ctx, &sdk.PutProjectPolicyInput{ProjectArn: project, PolicyName: &name, PolicyDocument: &doc}); err != nil {
			t.Fatal(err)
		}
	}
	put("allow", statement("Allow"))
	put("deny", statement("Deny"))
	if err := second(p.theirs.CopyProjectVersion(ctx, in)); exceptionOf(err) != "AccessDeniedException" {
		t.Errorf("against a denial: %v", err)
	}
	if _, err := p.ours.DeleteProjectPolicy(ctx, &sdk.DeleteProjectPolicyInput{ProjectArn: project, PolicyName: aws.String("deny")}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.theirs.CopyProjectVersion(ctx, in); err != nil {
		t.Fatal(err)
	}
	out, err := p.theirs.DescribeProjectVersions(ctx, &sdk.DescribeProjectVersionsInput{ProjectArn: to.ProjectArn, VersionNames: []string{"copy"}})
	if err != nil || out.ProjectVersionDescriptions[0].Status != types.ProjectVersionStatusCopyingCompleted || *out.ProjectVersionDescriptions[0].SourceProjectVersionArn != *v.ProjectVersionArn {
		t.Errorf("copy %+v, %v", out, err)
	}
}
