// Package metric measures predictions against truth: COCO's average precision for boxes
// (coco.go), the confusion matrix of classes or pixels with mIoU, Dice, accuracy,
// precision and recall (confusion.go), top-k accuracy, precision-recall curves
// (curve.go), figures of several labels a sample (multilabel.go), calibration error, and bootstrap intervals for any of them.
//
// It takes plain numbers and knows neither data sets nor models. Start at COCOBoxes and
// Confusion. Every figure equals pycocotools', torchmetrics' or numpy's; see golden/.
package metric
