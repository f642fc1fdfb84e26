package onnx

func indexRule(op string) shapeRule    { return nil }
func reduceRule(op string) shapeRule   { return nil }
func normRule(op string) shapeRule     { return nil }
func resizeRule(op string) shapeRule   { return nil }
func createRule(op string) shapeRule   { return nil }
func quantizeRule(op string) shapeRule { return nil }
func controlRule(op string) shapeRule  { return nil }
