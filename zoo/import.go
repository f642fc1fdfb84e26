package zoo

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"trilobite/taxonomy"
)

// maxLabelList bounds a label file: 8 MiB.
const maxLabelList = 8 << 20

// ImportParams describe a model that somebody brings.
type ImportParams struct {
	File    string   // where it comes from
	Labels  string   // path of a label list: one class a line; "" takes Names
	Names   []string // of the classes, as the file has them; none: by number
	Classes int      // how many the decoder reads
	Binary  bool     // the first class is what is of no class; a label list may leave it out
	Card    Card     // name, task, decoder, pipeline, licence
}

// Prepare completes the card of an imported model and reads its labels.
func Prepare(p ImportParams, t *taxonomy.Taxonomy) (Card, Labels, error) {
	card := p.Card
	card.Source = Source{File: p.File}
	if card.Title == "" {
		card.Title = "Imported from " + filepath.Base(p.File)
	}
	if err := card.Check(); err != nil {
		return Card{}, Labels{}, invalidf("%v", err)
	}
	list, err := labelList(p)
	if err != nil {
		return Card{}, Labels{}, err
	}
	labels, err := resolve(list, t)
	if err != nil {
		return Card{}, Labels{}, fmt.Errorf("labels %s: %w", p.Labels, err)
	}
	if p.Classes > 0 && len(labels.Classes) != p.Classes {
		return Card{}, Labels{}, invalidf("%s has %d classes, and the model answers with %d scores.", cmp.Or(p.Labels, "The file's metadata"), len(labels.Classes), p.Classes)
	}
	return card, labels, nil
}

// labelList returns the label file's text, a built-in list's by name (coco80, coco90,
// imagenet), or "class 0", "class 1", … when there is none.
func labelList(p ImportParams) (string, error) {
	if p.Labels == "" && len(p.Names) > 0 {
		for _, n := range p.Names {
			if strings.ContainsAny(n, "\t\r\n") {
				return "", invalidf("The file's metadata has a class %q, with a tab or a line break: name classes with --labels.", n)
			}
		}
		return strings.Join(p.Names, "\n"), nil
	}
	if p.Labels == "" {
		if p.Classes < 1 {
			return "", invalidf("The number of classes cannot be told from the graph's outputs; name them with --labels.")
		}
		names := make([]string, p.Classes)
		for i := range names {
			names[i] = fmt.Sprintf("class %d", i)
		}
		if p.Binary {
			names[0] = background
		}
		return strings.Join(names, "\n"), nil
	}
	list, err := readLabels(p.Labels)
	if p.Binary && err == nil && strings.Count(strings.TrimRight(list, "\r\n"), "\n") == 0 {
		list = background + "\n" + list
	}
	return list, err
}

// background names what is of none of a model's classes.
const background = "background"

func readLabels(path string) (string, error) {
	if list, err := builtinLabels(path); err == nil {
		return list, nil
	}
	at, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("labels: %w", err)
	}
	if at.Size() > maxLabelList {
		return "", fmt.Errorf("labels: %s is larger than %d MiB", path, maxLabelList>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("labels: %w", err)
	}
	return string(data), nil
}
