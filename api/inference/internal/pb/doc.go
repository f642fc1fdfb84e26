// Package pb has the messages of inference.proto: the Go types that protoc-gen-go
// v1.36.12 makes of it. The compiler is the one in the Python package grpcio-tools 1.85.1.
//
// To generate them again, with that package and that generator installed, run go
// generate here.
package pb

//go:generate python3 -m grpc_tools.protoc -I . --go_out=. --go_opt=paths=source_relative inference.proto
