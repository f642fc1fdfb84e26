package onnx

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The models of testdata/upgrade are of old operator sets, made by
// golden/onnx_upgrade.py; upgrade.npz has what ONNX Runtime computes with them, which
// package ort's tests compare. Here it is what the nodes look like afterwards.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		want []string // nodes, as text returns them
	}{
		{"squeeze_11", []string{"Squeeze(x, [0 2])"}},
		{"squeeze_all_11", []string{"Squeeze(x)"}},
		{"unsqueeze_11", []string{"Unsqueeze(x, [0 -1])"}},
		{"split_11", []string{"Split(x, [1 3]) axis=1"}},
		{"split_equal_11", []string{"Split(x) axis=-1 num_outputs=2"}},
		{"split_equal_13", []string{"Split(x) num_outputs=3"}},
		{"clip_11", []string{"Clip(x, [0])"}},
		{"constants_12", []string{"Add(x, [1 2])", "Gather(z, [1])"}},
		{"reduce_13", []string{"ReduceSum(x, [1]) keepdims=0", "ReduceMean(x, [1])"}},
		{"softmax_default_11", []string{"Flatten(x) axis=1", "Softmax(Flatten_1_out) axis=-1", "Reshape(Softmax_1_out, [2 3 4]) allowzero=1"}},
		{"softmax_last_11", []string{"Softmax(x) axis=2"}},
		{"softmax_channels_12", []string{"Softmax(x) axis=1"}},
		{"softmax_batch_11", []string{"Shape(x)", "Flatten(x) axis=1", "Softmax(Flatten_1_out) axis=-1", "Reshape(Softmax_1_out, Shape_1_out) allowzero=1"}},
		{"dropout_11", []string{"Dropout(x, [0.25])"}},
		{"resize_sizes_11", []string{"Resize(x, , , [1 2 7 3]) mode=linear"}},
		{"resize_tf_nn_11", []string{"Resize(x, , [1 1 0.5 2]) coordinate_transformation_mode=half_pixel nearest_mode=round_prefer_ceil"}},
		{"roialign_12", []string{"RoiAlign(x, rois, [0 0]) coordinate_transformation_mode=output_half_pixel output_height=2 output_width=2 sampling_ratio=2"}},
		{"gridsample_16", []string{"GridSample(x, grid) mode=linear", "GridSample(x, grid) align_corners=1 mode=cubic", "GridSample(x, grid) mode=nearest padding_mode=border"}},
		{"dft_17", []string{"DFT(x, , [2])", "DFT(x, , [1]) onesided=1"}},
		{"functions_12", []string{
			"Clip(x, [-1])", "Flatten(u#1/c) axis=1", "Softmax(Flatten_1_out) axis=-1", "Reshape(Softmax_1_out, [2 3 2]) allowzero=1",
			"Sub(u#1/s, x)", "LeakyRelu(u#1/h) alpha=0.25",
			"Clip(u)", "Flatten(v#2/p#3/c) axis=1", "Softmax(Flatten_2_out) axis=-1", "Reshape(Softmax_2_out, [2 3 2]) allowzero=1",
			"Sub(v#2/p#3/s, u)", "LeakyRelu(v#2/p#3/h) alpha=0.5", "Mul(v, [2])",
		}},
		{"if_true_11", []string{"If(flag) else_branch=body then_branch=body"}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			g, err := Load("testdata/upgrade/" + tt.file + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range g.Nodes {
				got = append(got, text(n))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// Every model is valid once upgraded, and one of Opset is not changed by it again.
func TestUpgradeIsOpset(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/upgrade/*.onnx")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		g, err := Load(f)
		if err != nil {
			t.Error(err)
			continue
		}
		first, err := Marshal(g)
		if err != nil {
			t.Error(err)
			continue
		}
		if g, err = Parse(first, ""); err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		second, err := Marshal(g)
		if err != nil || string(first) != string(second) {
			t.Errorf("%s: changed by being read again, %v", f, err)
		}
	}
}

func TestUpgradeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		node *Node
		from int64
		want string
	}{
		{"axes twice", &Node{Op: "Squeeze", In: []*Value{{}, {}}, Attrs: map[string]any{"axes": []int64{0}}}, 11, "2 inputs, at most 1"},
		{"axes of another type", &Node{Op: "Squeeze", In: []*Value{{}}, Attrs: map[string]any{"axes": int64(0)}}, 11, `attribute "axes" is a int64`},
		{"softmax of a scalar", &Node{Op: "Softmax", In: []*Value{{Shape: Shape{}}}}, 11, "axis 1 is outside rank 0"},
		{"no input", &Node{Op: "Softmax"}, 12, "input 0 is missing"},
		{"no groups", &Node{Op: "GroupNormalization", In: []*Value{{}, {}, {}}}, 18, "3 inputs and 0 groups"},
		{"coordinates without an equivalent", &Node{Op: "Resize", In: []*Value{{}}, Attrs: map[string]any{"coordinate_transformation_mode": "tf_half_pixel_for_nn"}}, 11, "tf_half_pixel_for_nn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.node.Name = "n"
			err := upgrade(&Graph{Nodes: []*Node{tt.node}}, tt.from, map[string]bool{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.node.String()) {
				t.Errorf("got %v, want %v and %q", err, tt.node, tt.want)
			}
		})
	}
}

// text shows a node as Op(inputs) attributes; small constants by their elements.
func text(n *Node) string {
	in := make([]string, len(n.In))
	for i, v := range n.In {
		switch {
		case v == nil:
		case v.IsConst() && len(v.Shape) < 2:
			in[i] = fmt.Sprint(v.Data.Raw())
		default:
			in[i] = v.Name
		}
	}
	s := fmt.Sprintf("%s(%s)", n.Op, strings.Join(in, ", "))
	for _, k := range slices.Sorted(maps.Keys(n.Attrs)) {
		if _, ok := n.Attrs[k].(*Graph); ok {
			s += " " + k + "=body"
		} else {
			s += fmt.Sprintf(" %s=%v", k, n.Attrs[k])
		}
	}
	return s
}
