// Package onnxpb is the ONNX file format: onnx-ml.proto of onnx 1.23.2, unchanged,
// and the Go types that protoc-gen-go v1.36.12 makes of it. The compiler is the one in
// the Python package grpcio-tools 1.85.1.
//
// To generate it again, with that package and that generator installed, run go
// generate here.
package onnxpb

//go:generate python3 -m grpc_tools.protoc -I . --go_out=. --go_opt=paths=source_relative --go_opt=Monnx-ml.proto=trilobite/onnx/internal/onnxpb onnx-ml.proto
