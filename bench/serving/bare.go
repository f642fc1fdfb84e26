package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	ortgo "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/errgroup"

	"trilobite/imageio"
	"trilobite/ort"
	"trilobite/pipeline"
	"trilobite/tensor"
	"trilobite/zoo"
)

// bare is a model in ONNX Runtime and nothing else.
type bare struct {
	session   *ortgo.DynamicAdvancedSession
	transform *pipeline.Transform
}

func openBare(home, model string) (*bare, error) {
	card, err := zoo.NewStore(home).Get(model)
	if err != nil {
		return nil, err
	}
	t, err := pipeline.Compile(card.Pipeline)
	if err != nil {
		return nil, err
	}
	if _, err := ort.Open(""); err != nil {
		return nil, err
	}
	o, err := ortgo.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if err := errors.Join(o.SetIntraOpNumThreads(1), o.SetGraphOptimizationLevel(ortgo.GraphOptimizationLevelEnableAll)); err != nil {
		return nil, err
	}
	in, out, err := ortgo.GetInputOutputInfo(card.GraphFile())
	if err != nil {
		return nil, err
	}
	s, err := ortgo.NewDynamicAdvancedSession(card.GraphFile(), []string{in[0].Name}, []string{out[0].Name}, o)
	return &bare{s, t}, err
}

func (b *bare) close() { _ = b.session.Destroy() }

// measure runs photos on all cores for a time.
func (b *bare) measure(ctx context.Context, photos [][]byte, each time.Duration) (speed, error) {
	var done atomic.Int64
	var g errgroup.Group
	start, before := time.Now(), ownProcessor()
	for w := range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for i := w; time.Since(start) < each; i++ {
				if err := b.one(ctx, photos[i%len(photos)]); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	n := float64(done.Load())
	return speed{n / time.Since(start).Seconds(), (ownProcessor() - before).Seconds() * 1000 / n}, err
}

func (b *bare) one(ctx context.Context, photo []byte) error {
	img, err := imageio.Decode(ctx, photo, b.transform.Loading())
	if err != nil {
		return err
	}
	x, _, err := b.transform.Apply(img)
	if err != nil {
		return err
	}
	defer b.transform.Recycle(x)
	data, _ := tensor.Data[float32](x)
	in, err := ortgo.NewTensor(ortgo.Shape(x.Shape), data)
	if err != nil {
		return err
	}
	defer in.Destroy()
	out := []ortgo.Value{nil}
	if err := b.session.Run([]ortgo.Value{in}, out); err != nil {
		return err
	}
	return out[0].Destroy()
}

// ownProcessor is this process's time on processors.
func ownProcessor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
