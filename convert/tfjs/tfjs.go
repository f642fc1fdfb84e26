// Package tfjs reads TensorFlow.js graph models.
package tfjs
