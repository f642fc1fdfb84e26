package inference_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"trilobite/api/inference"
	"trilobite/api/inference/internal/pb"
	"trilobite/serving/servingtest"
	"trilobite/zoo"
)

const side = servingtest.Side

// handler serves tint in two versions, and rgb.
func handler(t *testing.T) *inference.Handler {
	t.Helper()
	r, store := servingtest.Open(t, 0)
	servingtest.Put(t, store, "tint", zoo.Classify)
	return inference.New(inference.Config{Models: r, Version: "1.0", Log: slog.New(slog.DiscardHandler)})
}

// do sends a body whose first bytes are JSON; all of it, where data is nil.
func do(h http.Handler, method, path, head string, data []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(head+string(data)))
	if data != nil {
		r.Header.Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// picture is the elements of tint's input: each channel has its value everywhere.
func picture(r, g, b float32) []float32 {
	d := make([]float32, 0, 3*side*side)
	for _, v := range []float32{r, g, b} {
		for range side * side {
			d = append(d, v)
		}
	}
	return d
}

func littleEndian(d []float32) []byte {
	var out []byte
	for _, v := range d {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

const raw = `{"name":"x","datatype":"FP32","shape":[1,3,16,16],"parameters":{"binary_data_size":3072}}`

func TestMetadata(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v2", "", 200, `{"extensions":["binary_tensor_data","model_repository","model_configuration"],"name":"trilobite","version":"1.0"}`},
		{"GET", "/v2/", "", 200, `{"extensions":["binary_tensor_data","model_repository","model_configuration"],"name":"trilobite","version":"1.0"}`},
		{"GET", "/v2/models/tint", "", 200, `{"inputs":[{"name":"x","datatype":"FP32","shape":[-1,3,16,16]}],"name":"tint",` +
			`"outputs":[{"name":"logits","datatype":"FP32","shape":[-1,3]}],"platform":"onnxruntime_onnx","versions":["1","2"]}`},
		{"GET", "/v2/models/tint/versions/1/ready", "", 200, `{"name":"tint","ready":true}`},
		{"GET", "/v2/models/tint/versions/3/ready", "", 404, `{"error":"No model \"tint@3\" is installed`},
		{"GET", "/v2/models/..%2Frgb", "", 404, `{"error":"No model \"../rgb\" is installed`},
		{"POST", "/v2/repository/index", "", 200, `[{"name":"rgb","version":"1","state":"READY","reason":"loaded when it is asked"},` +
			`{"name":"tint","version":"2","state":"READY","reason":""},{"name":"tint","version":"1","state":"READY","reason":"loaded when it is asked"}]`},
		{"POST", "/v2/repository/models/tint/unload", `{"parameters":{"unload_dependents":false}}`, 200, ``},
		{"GET", "/v2/models/tint/ready", "", 503, `{"name":"tint","ready":false}`},
		{"GET", "/v2/models/tint", "", 503, `{"error":"Model tint@2 is unloaded: load it first."}`},
		{"POST", "/v2/repository/index", `{"ready":true}`, 200, `[{"name":"rgb","version":"1","state":"READY","reason":"loaded when it is asked"}]`},
		{"POST", "/v2/repository/models/tint/load", `{"parameters":{"config":"{}"}}`, 501, `{"error":"Loading takes no parameters`},
		{"POST", "/v2/repository/models/tint/load", ``, 200, ``},
		{"GET", "/v2/models/tint/ready", "", 200, `{"name":"tint","ready":true}`},
		{"GET", "/v2/models/tint/versions/1/ready", "", 503, `{"name":"tint","ready":false}`},
		{"POST", "/v2/repository/models/none/load", ``, 404, `{"error":"No model \"none\"`},
		{"POST", "/v2/repository/index", `[`, 400, `{"error":"The body is no JSON`},
		{"GET", "/v2/models/tint/stats", "", 404, `{"error":"GET /v2/models/tint/stats is not offered."}`},
		{"GET", "/v2/models/none/config", "", 404, `{"error":"No model \"none\"`},
	} {
		w := do(h, tc.method, tc.path, tc.body, nil)
		if got := strings.TrimSpace(w.Body.String()); w.Code != tc.status || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s %s: got %d %s\nwant %d %s", tc.method, tc.path, w.Code, got, tc.status, tc.want)
		}
	}
}

func TestInfer(t *testing.T) {
	t.Parallel()
	h := handler(t)
	colours := picture(0.5, -1, 2)
	encoded := servingtest.Picture(t, 32, 20)
	one := `{"model_name":"tint","model_version":"2","outputs":[{"name":"logits","datatype":"FP32","shape":[1,3],"data":[0.5,-1,2]}]}`
	nested := make([][][][]float32, 1)
	for c := range 3 {
		nested[0] = append(nested[0], nil)
		for y := range side {
			nested[0][c] = append(nested[0][c], colours[(c*side+y)*side:(c*side+y+1)*side])
		}
	}
	for _, tc := range []struct {
		name, path, head string
		data             []byte
		want             string
	}{
		{"flat JSON", "tint", `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3,16,16],"data":` + text(colours) + `}]}`, nil, one},
		{"nested JSON", "tint/versions/2", `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3,16,16],"data":` + text(nested) + `}]}`, nil, one},
		{"binary data", "tint", `{"inputs":[` + raw + `],"outputs":[{"name":"logits","parameters":{"binary_data":false}}],"parameters":{"binary_data_output":true}}`, littleEndian(colours), one},
		{"an id and another version", "tint/versions/1", `{"id":"7","inputs":[` + raw + `]}`, littleEndian(colours),
			`{"model_name":"tint","model_version":"1","id":"7","outputs":[{"name":"logits","datatype":"FP32","shape":[1,3],"data":[0.5,-1,2]}]}`},
		{"an image in base64", "tint", `{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["` + base64.StdEncoding.EncodeToString(encoded) + `"]}]}`, nil,
			`"outputs":[{"name":"logits","datatype":"FP32","shape":[1,3],"data":[-0.1960`},
		{"two images in binary", "tint", fmt.Sprintf(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":%d}}]}`, 2*(4+len(encoded))),
			bytes.Repeat(append(binary.LittleEndian.AppendUint32(nil, uint32(len(encoded))), encoded...), 2), `"shape":[2,3],"data":[-0.1960`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := do(h, "POST", "/v2/models/"+tc.path+"/infer", tc.head, tc.data)
			if w.Code != 200 || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d %s\nwant %s", w.Code, w.Body, tc.want)
			}
		})
	}
}

func TestInferAnswersBinary(t *testing.T) {
	t.Parallel()
	w := do(handler(t), "POST", "/v2/models/tint/infer", `{"inputs":[`+raw+`],"outputs":[{"name":"logits","parameters":{"binary_data":true}}]}`, littleEndian(picture(1, 2, 3)))
	n, err := strconv.Atoi(w.Header().Get("Inference-Header-Content-Length"))
	if err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	head, data := w.Body.String()[:n], w.Body.Bytes()[n:]
	want := `{"model_name":"tint","model_version":"2","outputs":[{"name":"logits","datatype":"FP32","shape":[1,3],"parameters":{"binary_data_size":12}}]}`
	if head != want || !bytes.Equal(data, littleEndian([]float32{1, 2, 3})) {
		t.Errorf("got %s and % x", head, data)
	}
}

func TestInferErrors(t *testing.T) {
	t.Parallel()
	h := handler(t)
	input := func(rest string) string { return `{"inputs":[{"name":"x",` + rest + `}]}` }
	for _, tc := range []struct {
		name, head string
		data       []byte
		status     int
		want       string
	}{
		{"no JSON", `{`, nil, 400, "no JSON"},
		{"no inputs", `{}`, nil, 400, "no inputs"},
		{"another type of field", `{"inputs":7}`, nil, 400, "inputs"},
		{"an unknown datatype", input(`"datatype":"FP8","shape":[1],"data":[1]`), nil, 400, "FP8"},
		{"a datatype that is not the model's", input(`"datatype":"INT64","shape":[1,3,16,16],"data":` + text(make([]int, 768))), nil, 400, "int64"},
		{"a shape that is not the model's", input(`"datatype":"FP32","shape":[1,3],"data":[1,2,3]`), nil, 400, "[1,3]"},
		{"fewer elements than the shape", input(`"datatype":"FP32","shape":[1,3,16,16],"data":[1]`), nil, 400, "1 elements"},
		{"more elements than the shape", input(`"datatype":"FP32","shape":[1],"data":[1,2]`), nil, 400, "more than"},
		{"a huge shape", input(`"datatype":"FP32","shape":[4611686018427387904],"data":[1]`), nil, 400, "1 elements"},
		{"a shape beyond counting", input(`"datatype":"FP32","shape":[4611686018427387904,4611686018427387904],"data":[1]`), nil, 400, "too large"},
		{"a negative shape", input(`"datatype":"FP32","shape":[-1],"data":[1]`), nil, 400, "negative"},
		{"a shape of words", input(`"datatype":"FP32","shape":["a"],"data":[1]`), nil, 400, "shape"},
		{"no data", input(`"datatype":"FP32","shape":[1]`), nil, 400, "no data"},
		{"data that is no array", input(`"datatype":"FP32","shape":[1],"data":1`), nil, 400, "no array"},
		{"objects for numbers", input(`"datatype":"FP32","shape":[1],"data":[{}]`), nil, 400, "object"},
		{"strings for numbers", input(`"datatype":"FP32","shape":[1],"data":["a, ]"]`), nil, 400, `\"a, ]\"`},
		{"null for numbers", input(`"datatype":"FP32","shape":[1],"data":[null]`), nil, 400, "null"},
		{"a number too large", input(`"datatype":"INT8","shape":[1],"data":[300]`), nil, 400, "300"},
		{"a fraction for an integer", input(`"datatype":"INT8","shape":[1],"data":[1.5]`), nil, 400, "1.5"},
		{"halves in JSON", input(`"datatype":"FP16","shape":[1],"data":[1]`), nil, 400, "binary data"},
		{"BYTES that are no base64", input(`"datatype":"BYTES","shape":[1],"data":["%%"]`), nil, 400, "does not fit"},
		{"BYTES that are no image", input(`"datatype":"BYTES","shape":[1],"data":["aGVsbG8="]`), nil, 400, "image"},
		{"data and binary data", input(`"datatype":"FP32","shape":[1],"data":[1],"parameters":{"binary_data_size":4}`), make([]byte, 4), 400, "one of them"},
		{"binary data cut short", input(`"datatype":"FP32","shape":[1,3,16,16],"parameters":{"binary_data_size":3072}`), make([]byte, 3071), 400, "3071 bytes are left"},
		{"binary data of a negative size", input(`"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-4}`), make([]byte, 4), 400, "-4"},
		{"binary data of another size than the shape", input(`"datatype":"FP32","shape":[2],"parameters":{"binary_data_size":4}`), make([]byte, 4), 400, "4 bytes"},
		{"binary data that nobody asked for", `{"inputs":[` + raw + `]}`, make([]byte, 3073), 400, "1 bytes follow"},
		{"BYTES that end within a length", input(`"datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":3}`), make([]byte, 3), 400, "length"},
		{"BYTES longer than what is there", input(`"datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}`), []byte{255, 255, 255, 255, 1, 1}, 400, "4294967295"},
		{"an input twice", `{"inputs":[` + raw + `,` + raw + `]}`, make([]byte, 6144), 400, "twice"},
		{"an unknown output", `{"inputs":[` + raw + `],"outputs":[{"name":"z"}]}`, make([]byte, 3072), 400, `\"z\"`},
		{"shared memory", input(`"datatype":"FP32","shape":[1],"parameters":{"shared_memory_region":"a"}`), nil, 501, "Shared memory"},
		{"classification", `{"inputs":[` + raw + `],"outputs":[{"name":"logits","parameters":{"classification":1}}]}`, make([]byte, 3072), 501, "classification"},
		{"an answer that JSON cannot hold", `{"inputs":[` + raw + `]}`, bytes.Repeat([]byte{0, 0, 192, 127}, 768), 400, "binary_data"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := do(h, "POST", "/v2/models/tint/infer", tc.head, tc.data)
			var got map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got) != 1 {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) || w.Body.Len() > 500 {
				t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, tc.status, tc.want)
			}
		})
	}
	for _, length := range []string{"x", "-1", "99"} {
		r := httptest.NewRequest(http.MethodPost, "/v2/models/tint/infer", strings.NewReader("{}"))
		r.Header.Set("Inference-Header-Content-Length", length)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "Inference-Header-Content-Length") {
			t.Errorf("length %s: %d %s", length, w.Code, w.Body)
		}
	}
}

// dial returns a gRPC connection to a server of h.
func dial(t *testing.T, h http.Handler) *grpc.ClientConn {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	srv := &http.Server{Handler: h, Protocols: &p}
	go func() { _ = srv.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		_ = srv.Close()
	})
	return conn
}

func call[Out any](conn *grpc.ClientConn, method string, in any) (*Out, error) {
	out := new(Out)
	return out, conn.Invoke(context.Background(), inference.Service+method, in, out)
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	conn := dial(t, handler(t))
	if r, err := call[pb.ServerLiveResponse](conn, "ServerLive", &pb.ServerLiveRequest{}); err != nil || !r.GetLive() {
		t.Errorf("live: %v, %v", r, err)
	}
	if r, err := call[pb.ServerReadyResponse](conn, "ServerReady", &pb.ServerReadyRequest{}); err != nil || !r.GetReady() {
		t.Errorf("ready: %v, %v", r, err)
	}
	if r, err := call[pb.ModelReadyResponse](conn, "ModelReady", &pb.ModelReadyRequest{Name: "none"}); err != nil || r.GetReady() {
		t.Errorf("none is ready: %v, %v", r, err)
	}
	if r, err := call[pb.ServerMetadataResponse](conn, "ServerMetadata", &pb.ServerMetadataRequest{}); err != nil || r.GetName() != "trilobite" || len(r.GetExtensions()) != 3 {
		t.Errorf("metadata: %v, %v", r, err)
	}
	m, err := call[pb.ModelMetadataResponse](conn, "ModelMetadata", &pb.ModelMetadataRequest{Name: "tint"})
	if err != nil || len(m.GetVersions()) != 2 || m.GetInputs()[0].GetDatatype() != "FP32" || m.GetOutputs()[0].GetName() != "logits" {
		t.Errorf("metadata: %v, %v", m, err)
	}
	if _, err := call[pb.RepositoryModelUnloadResponse](conn, "RepositoryModelUnload", &pb.RepositoryModelUnloadRequest{ModelName: "rgb"}); err != nil {
		t.Error(err)
	}
	index, err := call[pb.RepositoryIndexResponse](conn, "RepositoryIndex", &pb.RepositoryIndexRequest{})
	if err != nil || len(index.GetModels()) != 3 || index.GetModels()[0].GetState() != "UNAVAILABLE" {
		t.Errorf("index: %v, %v", index, err)
	}
	if _, err := call[pb.RepositoryModelLoadResponse](conn, "RepositoryModelLoad", &pb.RepositoryModelLoadRequest{ModelName: "rgb"}); err != nil {
		t.Error(err)
	}
}

func TestGRPCInfer(t *testing.T) {
	t.Parallel()
	conn := dial(t, handler(t))
	shape := []int64{1, 3, side, side}
	tensorOf := func(datatype string, shape []int64, c *pb.InferTensorContents) *pb.ModelInferRequest_InferInputTensor {
		return &pb.ModelInferRequest_InferInputTensor{Name: "x", Datatype: datatype, Shape: shape, Contents: c}
	}
	typed := &pb.InferTensorContents{Fp32Contents: picture(0.5, -1, 2)}
	encoded := &pb.InferTensorContents{BytesContents: [][]byte{servingtest.Picture(t, 20, 20)}}
	wide := &pb.InferTensorContents{IntContents: []int32{300}}
	for _, tc := range []struct {
		name string
		in   *pb.ModelInferRequest_InferInputTensor
		raw  [][]byte
		want []float32
		code codes.Code
	}{
		{"raw", tensorOf("FP32", shape, nil), [][]byte{littleEndian(picture(0.5, -1, 2))}, []float32{0.5, -1, 2}, codes.OK},
		{"typed", tensorOf("FP32", shape, typed), nil, []float32{0.5, -1, 2}, codes.OK},
		{"an image", tensorOf("BYTES", []int64{1}, encoded), nil, nil, codes.OK},
		{"both", tensorOf("FP32", shape, typed), [][]byte{littleEndian(picture(1, 2, 3))}, nil, codes.InvalidArgument},
		{"two typed fields", tensorOf("FP32", shape, &pb.InferTensorContents{Fp32Contents: typed.GetFp32Contents(), IntContents: []int32{1}}), nil, nil, codes.InvalidArgument},
		{"two raw for one", tensorOf("FP32", shape, nil), [][]byte{{}, {}}, nil, codes.InvalidArgument},
		{"raw cut short", tensorOf("FP32", shape, nil), [][]byte{{1, 2, 3}}, nil, codes.InvalidArgument},
		{"another shape", tensorOf("FP32", []int64{1, 3, side}, nil), [][]byte{make([]byte, 4*3*side)}, nil, codes.InvalidArgument},
		{"another type", tensorOf("UINT8", shape, nil), [][]byte{make([]byte, 3*side*side)}, nil, codes.InvalidArgument},
		{"too large for its type", tensorOf("INT8", []int64{1}, wide), nil, nil, codes.InvalidArgument},
		{"halves in contents", tensorOf("FP16", []int64{1}, wide), nil, nil, codes.InvalidArgument},
		{"no contents", tensorOf("FP32", shape, nil), nil, nil, codes.InvalidArgument},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out, err := call[pb.ModelInferResponse](conn, "ModelInfer", &pb.ModelInferRequest{
				ModelName: "tint", ModelVersion: "1", Id: "9", Inputs: []*pb.ModelInferRequest_InferInputTensor{tc.in}, RawInputContents: tc.raw,
			})
			if status.Code(err) != tc.code {
				t.Fatalf("got %v, want %s", err, tc.code)
			}
			if tc.code != codes.OK {
				return
			}
			if out.GetModelVersion() != "1" || out.GetId() != "9" || len(out.GetRawOutputContents()) != 1 {
				t.Fatalf("got %v", out)
			}
			if tc.want != nil {
				if diff := cmp.Diff(littleEndian(tc.want), out.GetRawOutputContents()[0]); diff != "" {
					t.Errorf("logits (-want +got):\n%s", diff)
				}
			}
		})
	}
	for method, want := range map[string]codes.Code{"ModelInfer": codes.NotFound, "ModelConfig": codes.NotFound, "ModelStatistics": codes.Unimplemented} {
		if _, err := call[pb.ModelInferResponse](conn, method, &pb.ModelInferRequest{ModelName: "none"}); status.Code(err) != want {
			t.Errorf("%s of no model: %v, want %s", method, err, want)
		}
	}
}

// TestConfig: Triton's description of a model, whose types have other names.
func TestConfig(t *testing.T) {
	t.Parallel()
	var got map[string]any
	w := do(handler(t), "GET", "/v2/models/tint/config", "", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	value := func(name string, dims ...any) []any {
		return []any{map[string]any{"name": name, "data_type": "TYPE_FP32", "dims": dims}}
	}
	want := map[string]any{
		"name": "tint", "platform": "onnxruntime_onnx", "backend": "onnxruntime", "max_batch_size": 0.0,
		"input": value("x", "-1", "3", "16", "16"), "output": value("logits", "-1", "3"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func FuzzInfer(f *testing.F) {
	f.Add(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[[1.5]]}]}`, []byte(nil))
	f.Add(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}}]}`, []byte{2, 0, 0, 0, 'a', 'b'})
	f.Add(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["a\"b"]}]}`, []byte{})
	h := inference.New(inference.Config{Models: nobody{}, Log: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, head string, data []byte) {
		w := do(h, "POST", "/v2/models/x/infer", head, data)
		if w.Code != 400 && w.Code != 404 && w.Code != 501 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
