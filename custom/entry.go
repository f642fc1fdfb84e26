package custom

import "trilobite/dataset/groundtruth"

// EntryOf makes an entry of a manifest's line.
func EntryOf(l *groundtruth.Line) Entry {
	e := Entry{SourceRef: l.SourceRef, Line: l.Text, Failed: l.Failed}
	names, boxes := l.Names()
	for _, n := range names {
		e.Labels = append(e.Labels, EntryLabel{Name: n, Boxes: boxes[n]})
	}
	return e
}
