// Package ort runs ONNX graphs with ONNX Runtime, loaded as a shared library when the
// process starts.
//
// ONNX Runtime fixes the number of threads when a session is made. A model therefore
// has two sessions: a wide one over all cores, for a request that is alone, and a
// narrow one whose runs take one thread each and share its weights, for requests that
// come together. Two narrow runs side by side give more images per second than one
// wide run after the other (bench/ortloop measures it), and the scheduler hands out
// cores so that the threads at work never exceed them.
//
// Start at Open, Load and Model.Run; schedule.go decides who runs how wide, batch.go
// joins requests where that pays, session.go is the only place that touches elements.
// A training step runs through a Stepper, which keeps its parameters in the library's
// memory (stepper.go).
// The package knows nothing of images: pipeline makes the tensors.
package ort

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	ortgo "github.com/yalue/onnxruntime_go"
)

// environment is ONNX Runtime's own process-wide state: the binding holds one library
// and one environment per process, so this variable mirrors what is there already. It
// changes once, from empty to the loaded library, which is never unloaded: its threads
// may outlive any session.
var environment struct {
	sync.Mutex

	library string
}

// Runtime is the loaded library and the cores its models share. It is safe for
// concurrent use.
type Runtime struct {
	library string
	cores   *scheduler
	present atomic.Int64 // announced requests that are not done
}

// Open loads the library, found as Find does, for models that share all the cores the
// process may use. A process can open one library any number of times, not two.
func Open(library string) (*Runtime, error) {
	return OpenCores(library, runtime.GOMAXPROCS(0))
}

// OpenCores is Open with the number of cores given; every Runtime hands out its own,
// so a process wants one.
func OpenCores(library string, cores int) (*Runtime, error) {
	if cores < 1 {
		return nil, fmt.Errorf("opening ONNX Runtime: %d cores, want at least 1", cores)
	}
	path, err := Find(library)
	if err != nil {
		return nil, err
	}
	if err := initialize(path); err != nil {
		return nil, err
	}
	return &Runtime{library: path, cores: newScheduler(cores)}, nil
}

func initialize(path string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == path {
		return nil
	}
	if environment.library != "" {
		return fmt.Errorf("opening ONNX Runtime %s: the process already uses %s", path, environment.library)
	}
	ortgo.SetSharedLibraryPath(path)
	if err := ortgo.InitializeEnvironment(ortgo.WithLogLevelError()); err != nil {
		return fmt.Errorf("opening ONNX Runtime %s: %w", path, err)
	}
	if err := loadTable(path); err != nil {
		return fmt.Errorf("opening ONNX Runtime %s: %w", path, err)
	}
	environment.library = path
	return nil
}

// Library returns the path of the loaded library.
func (r *Runtime) Library() string { return r.library }

// Version returns the release of the loaded library, such as 1.32.0.
func (r *Runtime) Version() string { return ortgo.GetVersion() }

// Cores returns the number of threads that runs use together at most.
func (r *Runtime) Cores() int { return r.cores.cores }

// Announce says that a request has arrived that will run models, and done that it has
// left. While two or more are announced a run is not alone even if the others are
// still being decoded, and gets one core instead of taking theirs. Without any
// announcement only runs and waiting runs count.
func (r *Runtime) Announce() (done func()) {
	r.present.Add(1)
	return sync.OnceFunc(func() { r.present.Add(-1) })
}
