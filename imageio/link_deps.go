//go:build !system_vips

package imageio

// The headers and the library of `make deps`. The shared object is libvips with all
// its decoders inside; the C++ wrapper in its name is not used, its C symbols are.
// The $ORIGIN paths let bin/trilobite move together with its libraries.

/*
#cgo CFLAGS: -I${SRCDIR}/../.deps/vips/include -I${SRCDIR}/../.deps/vips/include/glib-2.0 -I${SRCDIR}/../.deps/vips/lib/glib-2.0/include
#cgo linux LDFLAGS: -L${SRCDIR}/../.deps/vips/lib -l:libvips-cpp.so.8.18.7 -Wl,-rpath,$ORIGIN/../lib -Wl,-rpath,$ORIGIN/../.deps/vips/lib -Wl,-rpath,${SRCDIR}/../.deps/vips/lib
#cgo darwin LDFLAGS: -L${SRCDIR}/../.deps/vips/lib -lvips-cpp.8.18.7 -Wl,-rpath,@executable_path/../lib -Wl,-rpath,@executable_path/../.deps/vips/lib -Wl,-rpath,${SRCDIR}/../.deps/vips/lib
*/
import "C"
