package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trilobite/onnx"
	"trilobite/tensor"
)

// models writes the models of TestGradRefuses into a folder.
func models(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	save := func(name string, build func(b *onnx.Builder, x *onnx.Value)) {
		b := onnx.NewBuilder(name)
		build(b, b.Input("x", tensor.Float32, onnx.Shape{b.Dim("N"), 4}))
		g, err := b.Graph()
		if err != nil {
			t.Fatal(err)
		}
		if err := onnx.Save(filepath.Join(dir, name+".onnx"), g); err != nil {
			t.Fatal(err)
		}
	}
	weight := func(b *onnx.Builder, name string) *onnx.Value {
		return b.Const(name, tensor.Of([]int64{4, 3}, make([]float32, 12)))
	}
	save("plain", func(b *onnx.Builder, x *onnx.Value) { b.Output("y", b.MatMul(x, weight(b, "w"))) })
	save("two", func(b *onnx.Builder, x *onnx.Value) {
		b.Output("y", b.MatMul(x, weight(b, "w")))
		b.Output("z", b.MatMul(x, weight(b, "v")))
	})
	save("vector", func(b *onnx.Builder, x *onnx.Value) { b.Output("y", b.ReduceSum(b.MatMul(x, weight(b, "w")), 1)) })
	save("pieces", func(b *onnx.Builder, x *onnx.Value) { // of two equal weights, which stay two
		y := b.MatMul(x, weight(b, "w"))
		for _, name := range []string{"c", "d"} {
			halves := b.Op("SplitToSequence", []*onnx.Value{b.Const(name, tensor.Of([]int64{6}, make([]float32, 6))), b.Int(3)}, nil, 1)[0]
			y = b.Add(y, b.Op("SequenceAt", []*onnx.Value{halves, b.Int(-1)}, nil, 1)[0])
		}
		b.Output("y", y)
	})
	save("nothing", func(b *onnx.Builder, x *onnx.Value) { b.Output("y", b.Relu(x)) })
	save("unknown", func(b *onnx.Builder, x *onnx.Value) {
		b.Output("y", b.Op("ReverseSequence", []*onnx.Value{b.MatMul(x, weight(b, "w")), b.Ints(1, 1, 1, 1)}, nil, 1)[0])
	})
	save("quantised", func(b *onnx.Builder, x *onnx.Value) {
		q := b.Const("q", tensor.Of([]int64{4, 3}, make([]int8, 12)))
		w := b.Op("DequantizeLinear", []*onnx.Value{q, b.Const("scale", tensor.Scalar[float32](0.5))}, nil, 1)[0]
		b.Output("y", b.Add(b.MatMul(x, w), b.Const("bias", tensor.Vector[float32](1, 2, 3))))
	})
	save("branch", func(b *onnx.Builder, x *onnx.Value) {
		then, other := b.Body("then"), b.Body("else")
		then.Output("a", then.MatMul(x, weight(b, "w")))
		other.Output("b", other.MatMul(x, weight(b, "v")))
		thenGraph, _ := then.Graph()
		otherGraph, _ := other.Graph()
		yes := b.Greater(b.ReduceSum(b.MatMul(x, weight(b, "u"))), b.Scalar(tensor.Float32, 0))
		b.Output("y", b.Op("If", []*onnx.Value{yes}, map[string]any{"then_branch": thenGraph, "else_branch": otherGraph}, 1)[0])
	})
	return dir
}

// gradCommand runs "trilobite grad" in dir.
func gradCommand(t *testing.T, dir, model string, args ...string) (string, error) {
	t.Helper()
	cmd := newGradCmd()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append([]string{filepath.Join(dir, model+".onnx"), "-o", filepath.Join(dir, "step.onnx")}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestGradRefuses(t *testing.T) {
	t.Parallel()
	dir := models(t)
	tests := []struct {
		name, model, flags, want string
	}{
		{"several outputs", "two", "--loss mse", "outputs y, z; choose one with --output"},
		{"an output that is not there", "plain", "--loss mse --output q", "has the outputs y"},
		{"a loss that is not known", "plain", "--loss huber", "cross-entropy, bce, mse, smooth-l1"},
		{"an output without classes", "vector", "--loss cross-entropy", "want logits [N,C]"},
		{"nothing to train", "nothing", "--loss mse", "nothing to train"},
		{"an operator without a gradient", "unknown", "--loss mse", `ReverseSequence "ReverseSequence_1": no gradient rule`},
		{"control flow", "branch", "--loss mse", `If "If_1": no gradient rule`},
		{"an integer weight", "quantised", "--loss mse --trainable ^q$", `"q", which is int8`},
		{"an expression that matches nothing", "plain", "--loss mse --trainable bias", `for example, "w"`},
		{"a broken expression", "plain", "--loss mse --trainable (", "--trainable"},
		{"an exemption that matches nothing", "plain", "--loss mse --optimizer sgd --no-decay bias", "--no-decay"},
		{"an optimiser that is not known", "plain", "--loss mse --optimizer lion", "adamw or sgd"},
		{"a flag of the other optimiser", "plain", "--loss mse --optimizer sgd --beta1 0.8", "--beta1"},
		{"a flag without optimiser", "plain", "--loss mse --momentum 0.8", "--momentum"},
		{"a beta of 1", "plain", "--loss mse --optimizer adamw --beta2 1", "less than 1"},
		{"a mode that is not known", "plain", "--loss mse --bn both", "train or frozen"},
		{"an axis of classes for another loss", "plain", "--loss mse --class-axis 1", "only with --loss cross-entropy"},
		{"an axis of classes that is not there", "plain", "--loss cross-entropy --class-axis 2", "no axis 2"},
		{"a statistic that stays", "plain", "--loss mse --bn-momentum 1", "less than 1"},
		{"a batch of nothing", "plain", "--loss mse --batch 0", "--batch is 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := gradCommand(t, dir, tt.model, strings.Fields(tt.flags)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(dir, "step.onnx")); err == nil {
				t.Error("a file was written")
			}
		})
	}
	if _, err := gradCommand(t, dir, "plain", "--loss", "mse", "-o", filepath.Join(dir, "plain.onnx")); err == nil {
		t.Error("the model was written over")
	}
}

// Names, types and order are part of the contract with other people's programs.
func TestGradNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, model, flags string
		inputs, outputs    string
	}{
		{"gradients", "plain", "--loss cross-entropy", "x target w", "loss w.grad"},
		{"one of two outputs", "two", "--loss mse --output z", "x target v", "loss v.grad"},
		{"pieces of weights", "pieces", "--loss mse", "x target w c d", "loss w.grad c.grad d.grad"},
		{"AdamW", "plain", "--loss bce --optimizer adamw", "x target lr step w w.m w.v", "loss w.new w.m.new w.v.new"},
		{"SGD", "plain", "--loss mse --optimizer sgd", "x target lr step w", "loss w.new"},
		{"SGD with momentum", "plain", "--loss mse --optimizer sgd --momentum 0.9", "x target lr step w w.momentum", "loss w.new w.momentum.new"},
		{"quantised weights are constants", "quantised", "--loss mse", "x target bias", "loss bias.grad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := gradCommand(t, models(t), tt.model, append(strings.Fields(tt.flags), "--json")...)
			if err != nil {
				t.Fatal(err)
			}
			var got stepFile
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			names := func(list []stepValue) string {
				var all []string
				for _, v := range list {
					all = append(all, v.Name)
				}
				return strings.Join(all, " ")
			}
			if names(got.Inputs) != tt.inputs || names(got.Outputs) != tt.outputs {
				t.Errorf("got %s → %s, want %s → %s", names(got.Inputs), names(got.Outputs), tt.inputs, tt.outputs)
			}
		})
	}
}

// Of a trained Keras file the scale is not known; the error says how to have it.
func TestGradSaysHowToExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, err := os.ReadFile("../../step/testdata/keras_export.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keras.onnx"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gradCommand(t, dir, "keras", "--loss", "cross-entropy", "--bn", "train"); err == nil || !strings.Contains(err.Error(), "do_constant_folding=False") {
		t.Errorf("got error %v, which does not say how to export", err)
	}
	out, err := gradCommand(t, dir, "keras", "--loss", "cross-entropy")
	if err != nil || !strings.Contains(out, "axis 3") || !strings.Contains(out, "Softmax") {
		t.Errorf("%v, it says %q of classes on the last axis behind a Softmax", err, out)
	}
}

// A file without the operator has no mode, which must not pass for one that was set.
func TestGradSaysThatNothingIsNormalised(t *testing.T) {
	t.Parallel()
	dir := models(t)
	for mode, want := range map[string]bool{"train": true, "frozen": false} {
		out, err := gradCommand(t, dir, "plain", "--loss", "mse", "--bn", mode)
		if err != nil || strings.Contains(out, "no BatchNormalization") != want {
			t.Errorf("--bn %s: %v, it says %q", mode, err, out)
		}
	}
}
