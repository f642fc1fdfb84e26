package ort

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// table is the library's OrtApi: a struct of nothing but function pointers, whose order
// never changes (onnxruntime_c_api.h, "NO REORDERING"). The numbers below are places in
// it; capi_test.go compares them with the binding's own copy of that header.
static void *const *table;

typedef struct { const void *(*get_api)(uint32_t); } api_base;

static char *load_table(const char *path) {
	void *lib = dlopen(path, RTLD_LAZY); // the binding has it open: another reference
	if (!lib) return strdup(dlerror());
	const api_base *(*base)(void) = (const api_base *(*)(void))dlsym(lib, "OrtGetApiBase");
	if (!base) return strdup(dlerror());
	table = (void *const *)base()->get_api(17);
	return table ? NULL : strdup("the library has no API of version 17");
}

static char *said(void *status) {
	if (!status) return NULL;
	char *text = strdup(((const char *(*)(void *))table[2])(status)); // GetErrorMessage
	((void (*)(void *))table[93])(status);                            // ReleaseStatus
	return text;
}

static char *bind_input(void *binding, const char *name, void *value) {
	return said(((void *(*)(void *, const char *, void *))table[136])(binding, name, value)); // BindInput
}

static char *bind_output(void *binding, const char *name, void *value) {
	return said(((void *(*)(void *, const char *, void *))table[137])(binding, name, value)); // BindOutput
}

static char *create_memory_info(const char *name, int device, void **out) {
	// OrtDeviceAllocator, OrtMemTypeDefault
	return said(((void *(*)(const char *name, int type, int device, int kind, void **))table[68])(name, 0, device, 0, out)); // CreateMemoryInfo
}

static void release_memory_info(void *info) { ((void (*)(void *))table[94])(info); } // ReleaseMemoryInfo

static char *create_allocator(void *session, void *info, void **out) {
	return said(((void *(*)(void *, void *, void **))table[131])(session, info, out)); // CreateAllocator
}

static void release_allocator(void *allocator) { ((void (*)(void *))table[132])(allocator); } // ReleaseAllocator

static char *create_tensor(void *allocator, const int64_t *shape, size_t rank, int type, void **out) {
	return said(((void *(*)(void *, const int64_t *, size_t, int, void **))table[48])(allocator, shape, rank, type, out)); // CreateTensorAsOrtValue
}

static char *create_tensor_over(void *info, void *data, size_t size, const int64_t *shape, size_t rank, int type, void **out) {
	return said(((void *(*)(void *, void *, size_t, const int64_t *, size_t, int, void **))table[49])(info, data, size, shape, rank, type, out)); // CreateTensorWithDataAsOrtValue
}

static char *tensor_data(void *value, void **out) {
	return said(((void *(*)(void *, void **))table[51])(value, out)); // GetTensorMutableData
}

static void release_value(void *value) { ((void (*)(void *))table[96])(value); } // ReleaseValue

// describe_tensor writes a tensor's element type, the number of its dimensions and, of
// these, the first room.
static char *describe_tensor(void *value, int *type, size_t *rank, int64_t *shape, size_t room) {
	void *info;
	char *failed = said(((void *(*)(void *, void **))table[65])(value, &info)); // GetTensorTypeAndShape
	if (failed) return failed;
	failed = said(((void *(*)(void *, int *))table[60])(info, type)); // GetTensorElementType
	if (!failed) failed = said(((void *(*)(void *, size_t *))table[61])(info, rank)); // GetDimensionsCount
	if (!failed) failed = said(((void *(*)(void *, int64_t *, size_t))table[62])(info, shape, *rank < room ? *rank : room)); // GetDimensions
	((void (*)(void *))table[99])(info); // ReleaseTensorTypeAndShapeInfo
	return failed;
}

// job is a run of a session, of what is bound or of values. Names and values of the n_in
// inputs come before those of the n_out outputs; the value of one that the library shall
// allocate is NULL.
typedef struct {
	void *session, *options, *binding;
	size_t n_in, n_out;
	char **names;
	void **values;
	char *failed; // why it did, or NULL
} job;

static void run(void *p) {
	job *j = p;
	if (j->binding)
		j->failed = said(((void *(*)(void *, void *, void *))table[133])(j->session, j->options, j->binding)); // RunWithBinding
	else
		j->failed = said(((void *(*)(void *, void *, char **, void **, size_t, char **, size_t, void **))table[9])(j->session, j->options, j->names, j->values, j->n_in, j->names + j->n_in, j->n_out, j->values + j->n_in)); // Run
}

static void *run_function(void) { return (void *)run; }
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"unsafe"

	ortgo "github.com/yalue/onnxruntime_go"

	"trilobite/offload"
	"trilobite/tensor"
)

// What onnxruntime_go 1.27 lacks: runs on a thread that Go's scheduler does not watch (package
// offload), runs of a binding that can be stopped, tensors that the library allocates, on a
// device too, and values over them.

// loadTable finds the library's functions once the binding has opened it.
func loadTable(library string) error {
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	return said(C.load_table(path))
}

// said makes an error of a message of the C side, and frees it.
func said(text *C.char) error {
	if text == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(text))
	return errors.New(C.GoString(text))
}

// handle returns the C pointer that one of the binding's types keeps under the given
// fields, or nil if the binding has changed: capi_test.go would say so.
func handle(of any, fields ...string) unsafe.Pointer {
	v := reflect.ValueOf(of)
	for _, f := range fields {
		v = v.Elem().FieldByName(f)
		if v.Kind() != reflect.Pointer {
			return nil
		}
	}
	return v.UnsafePointer()
}

// runValues runs the session on values of its inputs, followed by those of its outputs.
func (s *session) runValues(o *ortgo.RunOptions, values []value, inputs int) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(&values[0])
	return s.runJob(o, &C.job{
		n_in: C.size_t(inputs), n_out: C.size_t(len(values) - inputs),
		names: s.names.list, values: &values[0].ptr,
	})
}

// runBinding runs what is bound; options may stop it.
func (s *session) runBinding(o *ortgo.RunOptions, b *ortgo.IoBinding) error {
	return s.runJob(o, &C.job{binding: handle(b, "o")})
}

func (s *session) runJob(o *ortgo.RunOptions, j *C.job) error {
	var pins runtime.Pinner
	defer pins.Unpin()
	pins.Pin(j)
	j.session, j.options = handle(s.s, "s", "ortSession"), handle(o, "o")
	offload.Run(C.run_function(), unsafe.Pointer(j))
	return said(j.failed)
}

// words are strings as C has them.
type words struct {
	list **C.char
	n    int
}

func newWords(all []string) words {
	w := words{(**C.char)(C.calloc(C.size_t(len(all)), C.size_t(unsafe.Sizeof((*C.char)(nil))))), len(all)}
	for i, text := range all {
		unsafe.Slice(w.list, w.n)[i] = C.CString(text)
	}
	return w
}

func (w words) free() {
	for _, text := range unsafe.Slice(w.list, w.n) {
		C.free(unsafe.Pointer(text))
	}
	C.free(unsafe.Pointer(w.list))
}

// value is a tensor of the library's, in the memory of a device.
type value struct{ ptr unsafe.Pointer }

func (v value) release() {
	if v.ptr != nil {
		C.release_value(v.ptr)
	}
}

// bytes returns the elements of a value in the CPU's memory: valid until release.
func (v value) bytes(n int) ([]byte, error) {
	var data unsafe.Pointer
	if err := said(C.tensor_data(v.ptr, &data)); err != nil || n == 0 { //nolint:gocritic // reads what cgo makes of it
		return nil, err
	}
	return unsafe.Slice((*byte)(data), n), nil
}

func bindInput(b *ortgo.IoBinding, name string, v value) error {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return said(C.bind_input(handle(b, "o"), c, v.ptr))
}

func bindOutput(b *ortgo.IoBinding, name string, v value) error {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return said(C.bind_output(handle(b, "o"), c, v.ptr))
}

// memory is where a session keeps tensors: "Cpu", or "Cuda" with a device number.
type memory struct{ info, allocator unsafe.Pointer }

func newMemory(s *session, name string, device int) (*memory, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	m := &memory{}
	if err := said(C.create_memory_info(c, C.int(device), &m.info)); err != nil { //nolint:gocritic // reads what cgo makes of it
		return nil, err
	}
	if err := said(C.create_allocator(handle(s.s, "s", "ortSession"), m.info, &m.allocator)); err != nil { //nolint:gocritic // reads what cgo makes of it
		m.release()
		return nil, err
	}
	return m, nil
}

func (m *memory) release() {
	if m.allocator != nil {
		C.release_allocator(m.allocator)
	}
	if m.info != nil {
		C.release_memory_info(m.info)
	}
}

// allocate returns a tensor of unset elements.
func (m *memory) allocate(d tensor.DType, shape []int64) (value, error) {
	var v value
	return v, said(C.create_tensor(m.allocator, dims(shape), C.size_t(len(shape)), C.int(d), &v.ptr)) //nolint:gocritic // reads what cgo makes of it
}

// describe returns the element type and shape of a tensor.
func (v value) describe() (tensor.DType, []int64, error) {
	const room = 16 // dimensions; more is no tensor that anybody makes
	var shape [room]int64
	var kind C.int
	var rank C.size_t
	if err := said(C.describe_tensor(v.ptr, &kind, &rank, (*C.int64_t)(&shape[0]), room)); err != nil {
		return 0, nil, err
	}
	if rank > room {
		return 0, nil, fmt.Errorf("a tensor of %d dimensions", rank)
	}
	return tensor.DType(kind), slices.Clone(shape[:rank]), nil
}

// over returns a tensor over elements of the CPU's memory, pinned: they stay where they are
// until pins is unpinned, which comes after release and after any run that the value is bound to.
func (m *memory) over(pins *runtime.Pinner, data []byte, d tensor.DType, shape []int64) (value, error) {
	if len(data) > 0 {
		pins.Pin(&data[0])
	}
	var v value
	start, size := unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data))
	return v, said(C.create_tensor_over(m.info, start, size, dims(shape), C.size_t(len(shape)), C.int(d), &v.ptr)) //nolint:gocritic // reads what cgo makes of it
}

func dims(shape []int64) *C.int64_t {
	return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(shape)))
}
