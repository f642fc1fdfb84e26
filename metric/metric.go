// Package metric measures predictions against truth: COCO's average precision for
// boxes, top-k accuracy, and the confusion matrix with precision and recall.
//
// It takes plain numbers and knows neither data sets nor models. Start at COCOBoxes.
package metric
