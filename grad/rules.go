package grad

import "trilobite/onnx"

// ruleOf returns the rule of n's operator.
func ruleOf(n *onnx.Node) (rule, bool) {
	if n.Domain != "" {
		return rule{}, false
	}
	r, ok := rules[n.Op]
	return r, ok
}

// rules are the operators that can be differentiated, by family.
var rules = map[string]rule{
	"Add":   {addRule, 0},
	"Sub":   {subRule, 0},
	"Mul":   {mulRule, 0},
	"Div":   {divRule, 0},
	"Pow":   {powRule, 0},
	"Sum":   {addRule, 0},
	"Mean":  {meanRule, 0},
	"Max":   {extremeRule, 0},
	"Min":   {extremeRule, 0},
	"Where": {whereRule, 0},
	"Mod":   {modRule, 0},

	"Neg":        {unary(negGrad), 1},
	"Abs":        {unary(absGrad), 1},
	"Sqrt":       {unary(sqrtGrad), 1},
	"Reciprocal": {unary(reciprocalGrad), 1},
	"Exp":        {unary(expGrad), 1},
	"Log":        {unary(logGrad), 1},
	"Identity":   {unary(identityGrad), 1},
	"Cast":       {unary(castGrad), 1},
	"CastLike":   {unary(castGrad), 1},
	"Sin":        {unary(sinGrad), 1},
	"Cos":        {unary(cosGrad), 1},
	"Tan":        {unary(tanGrad), 1},
	"Asin":       {unary(asinGrad), 1},
	"Acos":       {unary(acosGrad), 1},
	"Atan":       {unary(atanGrad), 1},
	"Sinh":       {unary(sinhGrad), 1},
	"Cosh":       {unary(coshGrad), 1},
	"Asinh":      {unary(asinhGrad), 1},
	"Acosh":      {unary(acoshGrad), 1},
	"Atanh":      {unary(atanhGrad), 1},
	"CumSum":     {unary(cumSumGrad), 1},
	"Trilu":      {unary(triluGrad), 1},

	"Relu":      {unary(reluGrad), 1},
	"LeakyRelu": {unary(leakyReluGrad), 1},
	"PRelu":     {preluRule, 0},
	"Elu":       {unary(eluGrad), 1},
	"Celu":      {unary(celuGrad), 1},
	"Selu":      {unary(seluGrad), 1},

	"ThresholdedRelu": {unary(thresholdedReluGrad), 1},
	"Shrink":          {unary(shrinkGrad), 1},

	"Clip":        {clipRule, 0},
	"Sigmoid":     {unary(sigmoidGrad), 1},
	"HardSigmoid": {unary(hardSigmoidGrad), 1},
	"HardSwish":   {unary(hardSwishGrad), 1},
	"Tanh":        {unary(tanhGrad), 1},
	"Softplus":    {unary(softplusGrad), 1},
	"Softsign":    {unary(softsignGrad), 1},
	"Mish":        {unary(mishGrad), 1},
	"Erf":         {unary(erfGrad), 1},
	"Gelu":        {unary(geluGrad), 1},
	"Softmax":     {unary(softmaxGrad), 1},
	"LogSoftmax":  {unary(logSoftmaxGrad), 1},

	"MatMul": {matMulRule, 0},
	"Gemm":   {gemmRule, 0},
	"Einsum": {einsumRule, 0},
	"Conv":   {convRule, 0},

	"ConvTranspose": {convTransposeRule, 0},

	"Reshape":   {unary(reshapeGrad), 1},
	"Flatten":   {unary(reshapeGrad), 1},
	"Squeeze":   {unary(reshapeGrad), 1},
	"Unsqueeze": {unary(reshapeGrad), 1},
	"Transpose": {unary(transposeGrad), 1},
	"Expand":    {expandRule, 1},
	"Concat":    {concatRule, 0},
	"Split":     {splitRule, 1},
	"Slice":     {sliceRule, 1},
	"Pad":       {padRule, 3}, // the second is integers
	"Tile":      {tileRule, 1},
	"Dropout":   {dropoutRule, 1},

	"DepthToSpace": {depthToSpaceRule, 1},
	"SpaceToDepth": {unary(spaceToDepthGrad), 1},
	"Col2Im":       {col2ImRule, 1},

	"Gather":          {gatherRule, 1},
	"GatherElements":  {unary(gatherElementsGrad), 1},
	"GatherND":        {gatherNDRule, 1},
	"ScatterElements": {scatterElementsRule, 3}, // the second is integers
	"ScatterND":       {scatterNDRule, 3},       // the same
	"TopK":            {topKRule, 1},

	"ReduceSum":  {reduceSumRule, 1},
	"ReduceMean": {reduceMeanRule, 1},
	"ReduceMax":  {reduced(reduceExtremeGrad), 1},
	"ReduceMin":  {reduced(reduceExtremeGrad), 1},
	"ReduceL2":   {reduceL2Rule, 1},
	"ReduceL1":   {reduced(reduceL1Grad), 1},
	"ReduceProd": {reduced(reduceProdGrad), 1},

	"ReduceSumSquare": {reduced(reduceSumSquareGrad), 1},
	"ReduceLogSum":    {reduced(reduceLogSumGrad), 1},
	"ReduceLogSumExp": {reduced(reduceLogSumExpGrad), 1},

	"MaxPool":           {maxPoolRule, 1},
	"AveragePool":       {averagePoolRule, 1},
	"GlobalMaxPool":     {globalMaxPoolRule, 1},
	"GlobalAveragePool": {globalAveragePoolRule, 1},

	"BatchNormalization":    {batchNormRule, 0},
	"LayerNormalization":    {layerNormRule, 0},
	"InstanceNormalization": {instanceNormRule, 0},
	"GroupNormalization":    {groupNormRule, 0},
	"LpNormalization":       {lpNormRule, 1},
	"LRN":                   {spelled(lrn), 1},
	"Resize":                {resizeRule, 1},

	"MeanVarianceNormalization": {spelled(meanVariance), 1},

	"GridSample": {spelled(gridSample), 2},
	"AffineGrid": {unary(affineGridGrad), 1},
	"LSTM":       {spelled(recurrent(4, [][]string{{"Sigmoid", "Tanh", "Tanh"}}, lstmStep)), 0},
	"GRU":        {spelled(recurrent(3, [][]string{{"Sigmoid", "Tanh"}}, gruStep)), 0},
	"RNN":        {spelled(recurrent(1, [][]string{{"Tanh"}, {"Relu"}}, rnnStep)), 0},
}

// zeroRules are the operators whose floating-point results are constant but for jumps,
// or take no more than the shape from their input: their derivative is zero, and
// nothing is formed before them. Integer and bool results are so without being named.
// An operator that is in neither table has a derivative that is not known here.
var zeroRules = map[string]bool{
	"Ceil": true, "EyeLike": true, "Floor": true, "Hardmax": true, "RandomNormalLike": true,
	"RandomUniformLike": true, "Round": true, "Sign": true,
}
