package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trilobite/grad"
	"trilobite/onnx"
	"trilobite/optim"
	"trilobite/step"
	"trilobite/tensor"
)

// gradFlags say what a training step of a file is to be.
type gradFlags struct {
	out, initial, loss, output, trainable, bn, optimizer, noDecay string
	batch                                                         int64
	classAxis                                                     int
	beta1, beta2, epsilon, weightDecay, momentum, bnMomentum      float64
	nesterov, json                                                bool
}

func newGradCmd() *cobra.Command {
	var f gradFlags
	adamw := optim.NewAdamW()
	cmd := &cobra.Command{
		Use:   "grad MODEL.onnx -o STEP.onnx --loss LOSS",
		Short: "Write the gradient, or a whole training step, of an ONNX model as an ONNX file",
		Long: `Writes a file that any ONNX Runtime can train with: from the model's inputs, "target" and every
trainable initializer under its own name it computes "loss", the mean over the batch, and each
initializer's gradient, NAME.grad. With --optimizer it computes the next initializers, NAME.new,
instead, from the further inputs "lr" and "step" and the optimiser's state.

Trainable are all float initializers that feed a differentiable input, running statistics never.
docs/training-graphs.md has every name and shape, and a Python program that trains with it.`,
		Example: `  trilobite grad resnet18.onnx -o grad.onnx --loss cross-entropy
  trilobite grad resnet18.onnx -o step.onnx --loss cross-entropy --optimizer adamw --trainable '^fc[.]' --initial step.npz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			written, err := writeStep(cmd, args[0], f)
			if err != nil {
				return err
			}
			return written.print(cmd.OutOrStdout(), f.json)
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out, "out", "o", "", "`file` to write")
	fl.StringVar(&f.initial, "initial", "", "also write what the initializers and the state are at first to this .npz `file`")
	fl.StringVar(&f.loss, "loss", "", strings.Join(step.Losses, ", "))
	fl.StringVar(&f.output, "output", "", "`name` of the output that the loss is taken of, where the model has several")
	fl.IntVar(&f.classAxis, "class-axis", 0, "`axis` of classes for cross-entropy, -1 the last (default: found out, 1 as a rule)")
	fl.StringVar(&f.trainable, "trainable", "", "train only initializers whose name this `regex` matches somewhere")
	fl.StringVar(&f.bn, "bn", "", "train or frozen: BatchNormalization by the batch or by the running statistics (default: as the model was exported)")
	fl.Float64Var(&f.bnMomentum, "bn-momentum", 0, "share of a running statistic that stays at each step (default: as the model was exported, 0.99 for Keras)")
	fl.Int64Var(&f.batch, "batch", 0, "fix the batch to this `size` (default: as the model has it)")
	fl.StringVar(&f.optimizer, "optimizer", "", "adamw or sgd: write the whole step")
	fl.Float64Var(&f.beta1, "beta1", adamw.Beta1, "AdamW's decay of the mean gradient")
	fl.Float64Var(&f.beta2, "beta2", adamw.Beta2, "AdamW's decay of the mean squared gradient")
	fl.Float64Var(&f.epsilon, "eps", adamw.Epsilon, "AdamW's addend to the root")
	fl.Float64Var(&f.weightDecay, "weight-decay", 0, "weight decay (default 0.01 for adamw, 0 for sgd)")
	fl.Float64Var(&f.momentum, "momentum", 0, "SGD's momentum")
	fl.BoolVar(&f.nesterov, "nesterov", false, "SGD with Nesterov's momentum")
	fl.StringVar(&f.noDecay, "no-decay", "", "no weight decay for names that this `regex` matches somewhere")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	for _, name := range []string{"out", "loss"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

// writeStep makes the step and writes its files.
func writeStep(cmd *cobra.Command, path string, f gradFlags) (*stepFile, error) {
	if err := checkFiles(path, f.out, f.initial); err != nil {
		return nil, err
	}
	spec, err := f.spec(cmd)
	if err != nil {
		return nil, err
	}
	g, err := onnx.Load(path)
	if err != nil {
		return nil, err
	}
	s, params, err := f.build(g, spec, func(note string) { fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", path, note) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", path, err, hint(g, err))
	}
	// Running statistics may be left out of the feed: they are what they were in the model.
	g.Defaults = map[string]*tensor.Tensor{}
	for _, slot := range s.Slots[len(s.Slots)-s.Running:] {
		g.Defaults[slot.In] = slot.Init
	}
	g.Name = strings.TrimSuffix(filepath.Base(f.out), ".onnx")
	if err := onnx.Save(f.out, g); err != nil {
		return nil, err
	}
	if f.initial != "" {
		first := maps.Clone(params)
		for _, slot := range s.Slots {
			first[slot.In] = slot.Init
		}
		if err := tensor.WriteNPZ(f.initial, first); err != nil {
			return nil, fmt.Errorf("writing %s: %w", f.initial, err)
		}
	}
	return describe(f.out, s, params), nil
}

// checkFiles refuses to write over what is read.
func checkFiles(in, out, initial string) error {
	same := func(a, b string) bool {
		if sa, err := os.Stat(a); err == nil {
			if sb, err := os.Stat(b); err == nil {
				return os.SameFile(sa, sb)
			}
		}
		return filepath.Clean(a) == filepath.Clean(b)
	}
	if same(in, out) {
		return fmt.Errorf("%s is the model: write the training step to another file", out)
	}
	if initial != "" && (same(in, initial) || same(out, initial)) {
		return fmt.Errorf("--initial %s: it is the model or the training step", initial)
	}
	return nil
}

// spec reads the flags about modes and the optimiser.
func (f gradFlags) spec(cmd *cobra.Command) (step.Spec, error) {
	var s step.Spec
	switch f.bn {
	case "":
	case "train":
		s.BatchNorm = step.Train
	case "frozen":
		s.BatchNorm = step.Frozen
	default:
		return s, fmt.Errorf("--bn is %q; it is train or frozen", f.bn)
	}
	if !slices.Contains(step.Losses, f.loss) {
		return s, fmt.Errorf("--loss is %q; it is one of %s", f.loss, strings.Join(step.Losses, ", "))
	}
	if f.batch < 0 || f.batch == 0 && cmd.Flags().Changed("batch") {
		return s, fmt.Errorf("--batch is %d; it is 1 or more", f.batch)
	}
	if f.classAxis != 0 && f.loss != "cross-entropy" {
		return s, errors.New("--class-axis has a meaning only with --loss cross-entropy")
	}
	if !(f.bnMomentum >= 0 && f.bnMomentum < 1) {
		return s, fmt.Errorf("--bn-momentum is %v; it is more than 0 and less than 1", f.bnMomentum)
	}
	s.Momentum = f.bnMomentum
	if err := f.rule(cmd, &s); err != nil {
		return s, err
	}
	if f.noDecay != "" {
		re, err := regexp.Compile(f.noDecay)
		if err != nil {
			return s, fmt.Errorf("--no-decay: %w", err)
		}
		s.NoDecay = re.MatchString
	}
	return s, nil
}

// rule reads the optimiser; a flag of the other one, or without one, is an error.
func (f gradFlags) rule(cmd *cobra.Command, s *step.Spec) error {
	of := map[string]string{"beta1": "adamw", "beta2": "adamw", "eps": "adamw", "momentum": "sgd", "nesterov": "sgd"}
	for _, name := range []string{"beta1", "beta2", "eps", "momentum", "nesterov", "weight-decay", "no-decay"} {
		if want := of[name]; cmd.Flags().Changed(name) && (f.optimizer == "" || want != "" && want != f.optimizer) {
			return fmt.Errorf("--%s has a meaning only with --optimizer %s", name, strings.TrimPrefix(want+" ", " "))
		}
	}
	for name, v := range map[string]float64{"beta1": f.beta1, "beta2": f.beta2} {
		if !(v >= 0 && v < 1) {
			return fmt.Errorf("--%s is %v; it is 0 or more and less than 1", name, v)
		}
	}
	for name, v := range map[string]float64{"eps": f.epsilon, "weight-decay": f.weightDecay, "momentum": f.momentum} {
		if !(v >= 0) {
			return fmt.Errorf("--%s is %v; it is 0 or more", name, v)
		}
	}
	switch f.optimizer {
	case "":
	case "adamw":
		rule := optim.AdamW{Beta1: f.beta1, Beta2: f.beta2, Epsilon: f.epsilon, WeightDecay: f.weightDecay}
		if !cmd.Flags().Changed("weight-decay") {
			rule.WeightDecay = optim.NewAdamW().WeightDecay
		}
		s.Rule = rule
	case "sgd":
		if f.nesterov && f.momentum == 0 {
			return errors.New("--nesterov wants a --momentum above 0")
		}
		s.Rule = optim.SGD{Momentum: f.momentum, Nesterov: f.nesterov, WeightDecay: f.weightDecay}
	default:
		return fmt.Errorf("--optimizer is %q; it is adamw or sgd", f.optimizer)
	}
	return nil
}

// build turns the model into the step and says what one should know of it. It returns the
// parameters' first values too.
func (f gradFlags) build(g *onnx.Graph, spec step.Spec, say func(note string)) (*step.Step, map[string]*tensor.Tensor, error) {
	err := bindBatch(g, f.batch)
	if err != nil {
		return nil, nil, err
	}
	if err := onnx.CutPieces(g); err != nil {
		return nil, nil, err
	}
	if spec.Spelled, err = step.JoinBatchNorm(g); err != nil {
		return nil, nil, err
	}
	tied, err := step.Tie(g)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(tied)) {
		say(fmt.Sprintf("%q is %q transposed: one weight, which both uses train", name, tied[name]))
	}
	if f.bn == "train" && !slices.ContainsFunc(g.Nodes, func(n *onnx.Node) bool { return n.Op == "BatchNormalization" }) {
		say("it has no BatchNormalization, so --bn train changes nothing")
	}
	output, err := chooseOutput(g, f.output)
	if err != nil {
		return nil, nil, err
	}
	if spec.Params, err = chooseParams(g, output, f.trainable); err != nil {
		return nil, nil, err
	}
	apart := step.Apart(g, spec.Params)
	for _, name := range slices.Sorted(maps.Keys(apart)) {
		say(fmt.Sprintf("%q is in the file several times, as %q, each trained on its own: exported with optimize=False it is one", name, apart[name]))
	}
	if spec.NoDecay != nil && !slices.ContainsFunc(spec.Params, func(p *onnx.Value) bool { return spec.NoDecay(p.Name) }) {
		return nil, nil, fmt.Errorf("--no-decay %q matches no trainable initializer", f.noDecay)
	}
	var notes []string
	if spec.Loss, notes, err = step.Target(g, output, step.TargetSpec{Loss: f.loss, ClassAxis: f.classAxis}); err != nil {
		return nil, nil, err
	}
	for _, note := range notes {
		say(note)
	}
	params := map[string]*tensor.Tensor{}
	for _, p := range spec.Params {
		params[p.Name] = p.Data
	}
	s, err := step.Build(g, spec)
	return s, params, err
}

// hint says what to do about what only the exporter can mend.
func hint(g *onnx.Graph, err error) string {
	if folded := (*step.FoldedError)(nil); errors.As(err, &folded) {
		return ". Use --bn frozen, or let PyTorch export it without folding: model.eval(); torch.onnx.export(model, (x,), \"model.onnx\", dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)"
	}
	if errors.Is(err, grad.ErrNoRule) && !strings.Contains(err.Error(), "bind") {
		return ""
	}
	for _, v := range g.Inputs {
		if v.Name != "target" && len(v.Shape) > 1 && !v.Shape[1:].Static() {
			return fmt.Sprintf(" (input %q is %s: export the model with fixed sizes, of which only the batch may stay open)", v.Name, step.Spell(g, v.Shape))
		}
	}
	return ""
}
