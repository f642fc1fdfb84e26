// Package modelfile reads model files: one YAML text that defines a network, what goes
// into it and how it is trained.
//
// Spec is the file, field by field; its tags bound the values and write the JSON Schema
// for editors (schema.go). Parse reads a text and names the line of whatever is wrong
// (decode.go). Spec.Build makes the network (build.go), Describe counts it (describe.go)
// and Draw draws it (draw.go). recipe.go is the training, for package train.
package modelfile

import (
	"trilobite/augment"
	"trilobite/onnx"
	"trilobite/pipeline"
)

// Spec is a model file.
type Spec struct {
	Task          string        `yaml:"task" enum:"classify,detect,segment" doc:"what the model answers: a class for the picture, boxes, or a class for each pixel"`
	Network       string        `yaml:"network" enum:"classifier,deeplabv3plus,detector,unet" doc:"the architecture; it fits the task"`
	Backbone      Backbone      `yaml:"backbone,omitempty" doc:"the feature extractor"`
	Head          Head          `yaml:"head,omitempty" doc:"the layers after it"`
	Classes       []string      `yaml:"classes,omitempty" doc:"names in order; left out, the data set's"`
	Preprocessing pipeline.Spec `yaml:"preprocessing" doc:"how a picture becomes the input, in training and in use"`
	Augmentation  augment.Plan  `yaml:"augmentation,omitempty" doc:"random changes of training pictures, and of their masks and boxes with them"`
	Training      Training      `yaml:"training" doc:"the recipe"`
}

// Backbone is the feature extractor.
type Backbone struct {
	Name    string   `yaml:"name" names:"backbone" doc:"a network by name, such as efficientnet_lite0, an imported model's name, or an .onnx file; empty for unet without one"`
	Weights string   `yaml:"weights,omitempty" doc:"a model of the store, or a file of weights (.pth, .safetensors); empty: random, or an imported model's own"`
	Taps    []string `yaml:"taps,omitempty" doc:"the feature maps that the head starts from: stride4, or a tensor's or node's name; left out, the usual ones"`
	Freeze  bool     `yaml:"freeze,omitempty" doc:"whether the backbone keeps its weights until a stage unfreezes it"`

	imported *onnx.Graph // nil: a network of package nn
}

// Imported reports whether the backbone is a model that was imported, with its own weights.
func (b Backbone) Imported() bool { return b.imported != nil }

// Trained reports whether the backbone starts from weights that know something.
func (b Backbone) Trained() bool { return b.Weights != "" || b.imported != nil }

// Head holds what the architectures' heads have to choose.
type Head struct {
	Channels int64   `yaml:"channels,omitempty" range:"1,4096" doc:"width; deeplabv3plus 256, detector 96"`
	Convs    int64   `yaml:"convs,omitempty" range:"1,8" doc:"detector: convolutions of each branch, 2"`
	Rates    []int64 `yaml:"rates,omitempty,flow" range:"1,64" doc:"deeplabv3plus: dilations of the pyramid, 6, 12, 18"`
	High     []int64 `yaml:"high,omitempty,flow" range:"1,128" doc:"deeplabv3plus: strides that the pyramid pools, 16"`
	Low      []int64 `yaml:"low,omitempty,flow" range:"1,128" doc:"deeplabv3plus: finer strides that are merged, coarse to fine, 4"`

	Decoder   []int64 `yaml:"decoder,omitempty,flow" range:"1,4096" doc:"unet on a backbone: channels of the levels, coarse to fine; one less than taps leaves out the level of the picture's size"`
	Separable bool    `yaml:"separable,omitempty" doc:"deeplabv3plus: whether 3×3 convolutions are depthwise ones followed by 1×1 ones, a sixth of the work"`
}

// Training is the recipe.
type Training struct {
	Batch      int     `yaml:"batch" range:"1,4096" doc:"images in a step"`
	Stages     []Stage `yaml:"stages" doc:"one after the other; each goes on from where the one before ended"`
	EMA        float64 `yaml:"ema,omitempty" range:"0,0.99999" doc:"decay of the average of the weights that is evaluated and kept; 0: none"`
	Balance    string  `yaml:"balance,omitempty" enum:"none,inverse,sqrt,fourth-root" doc:"weight of rare classes in the loss: that of their share, inverted"`
	Dice       float64 `yaml:"dice,omitempty" range:"0,100" doc:"segment: weight of the Dice loss beside the cross-entropy"`
	Versions   int     `yaml:"versions,omitempty" range:"0,100" doc:"changed versions of each picture, whose features are then kept; 0: a new one each time"`
	Validation float64 `yaml:"validation,omitempty" range:"0,0.9" doc:"share held out where the data set has no validation part; 0: 0.2"`
	ClipNorm   float64 `yaml:"clip_norm,omitempty" range:"0,1000000" doc:"limit of the gradients' global norm; 0: none"`
}

// Stage is a part of the training with settings of its own.
type Stage struct {
	Name         string  `yaml:"name" doc:"for logs and curves"`
	Epochs       int     `yaml:"epochs" range:"1,100000" doc:"times through the training images"`
	Unfreeze     string  `yaml:"unfreeze,omitempty" doc:"backbone parameters that are trained too: the last so many blocks, or a regular expression; left out, none where the backbone is frozen, else all"`
	Optimiser    string  `yaml:"optimiser" enum:"adamw,sgd" doc:"update rule"`
	LR           float64 `yaml:"lr" range:"0,100" doc:"highest learning rate"`
	Schedule     string  `yaml:"schedule,omitempty" enum:"constant,cosine,one-cycle,poly" doc:"how the rate changes within the stage"`
	WarmUp       float64 `yaml:"warm_up,omitempty" range:"0,0.9" doc:"share of the stage in which the rate rises from a hundredth"`
	WeightDecay  float64 `yaml:"weight_decay,omitempty" range:"0,10" doc:"of weights; norms and biases do not decay"`
	Momentum     float64 `yaml:"momentum,omitempty" range:"0,0.99999" doc:"of sgd"`
	BackboneRate float64 `yaml:"backbone_rate,omitempty" range:"0,1" doc:"factor of lr for unfrozen backbone parameters; 0: 0.1"`
}
