package label

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trilobite"
	"trilobite/geom"
	"trilobite/taxonomy"
	"trilobite/zoo"
)

var (
	animal = taxonomy.Entry{Name: "Animal", Categories: []string{"Animals and Pets"}}
	dog    = taxonomy.Entry{Name: "Dog", Parents: []string{"Animal"}, Categories: []string{"Animals and Pets"}}
	beagle = taxonomy.Entry{Name: "Beagle", Parents: []string{"Dog", "Animal"}, Categories: []string{"Animals and Pets"}}
	pug    = taxonomy.Entry{Name: "Pug", Parents: []string{"Dog", "Animal"}, Categories: []string{"Animals and Pets"}}

	detector   = newVocabulary(zoo.Labels{Classes: []zoo.Class{{}, {Name: "dog", Label: dog}}, Ancestors: []taxonomy.Entry{animal}})
	classifier = newVocabulary(zoo.Labels{Classes: []zoo.Class{{Name: "beagle", Label: beagle}, {Name: "pug", Label: pug}}, Ancestors: []taxonomy.Entry{dog, animal}})
)

func found(score float32, box geom.Box) trilobite.Detection {
	return trilobite.Detection{Class: 1, Score: score, Box: box}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	a, b := geom.Box{X2: 10, Y2: 10}, geom.Box{X1: 50, X2: 60, Y2: 10}
	breeds := []trilobite.Classification{{Class: 0, Score: 0.5}, {Class: 1, Score: 0.375}}
	tests := []struct {
		name    string
		answers []answer
		min     float32
		want    []trilobite.Label
	}{
		{"nothing seen", nil, 0, nil},
		{
			"an ancestor is as sure as the surest detection, without boxes of its own",
			[]answer{{words: detector, detections: []trilobite.Detection{found(0.75, a), found(0.5, b)}}}, 0,
			[]trilobite.Label{
				{Name: "Animal", Score: 0.75, Categories: animal.Categories},
				{Name: "Dog", Score: 0.75, Parents: dog.Parents, Categories: dog.Categories, Instances: []trilobite.Instance{{Box: a, Score: 0.75}, {Box: b, Score: 0.5}}},
			},
		},
		{
			"an ancestor of exclusive classes has their probabilities together",
			[]answer{{words: classifier, classes: breeds}}, 0.6,
			[]trilobite.Label{
				{Name: "Animal", Score: 0.875, Categories: animal.Categories},
				{Name: "Dog", Score: 0.875, Parents: dog.Parents, Categories: dog.Categories},
			},
		},
		{
			"two models that box one object count it once, the surer score stays",
			[]answer{
				{words: detector, detections: []trilobite.Detection{found(0.5, a)}},
				{words: detector, detections: []trilobite.Detection{found(0.75, a)}},
			}, 0,
			[]trilobite.Label{
				{Name: "Animal", Score: 0.75, Categories: animal.Categories},
				{Name: "Dog", Score: 0.75, Parents: dog.Parents, Categories: dog.Categories, Instances: []trilobite.Instance{{Box: a, Score: 0.75}}},
			},
		},
		{
			"a classifier adds to what a detector saw",
			[]answer{{words: detector, detections: []trilobite.Detection{found(0.75, a)}}, {words: classifier, classes: breeds}}, 0.5,
			[]trilobite.Label{
				{Name: "Animal", Score: 0.875, Categories: animal.Categories},
				{Name: "Dog", Score: 0.875, Parents: dog.Parents, Categories: dog.Categories, Instances: []trilobite.Instance{{Box: a, Score: 0.75}}},
				{Name: "Beagle", Score: 0.5, Parents: beagle.Parents, Categories: beagle.Categories},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, merge(tt.answers, tt.min), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("merge (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	labels := func() []trilobite.Label {
		return []trilobite.Label{
			{Name: "Dog", Categories: []string{"Animals and Pets"}},
			{Name: "Car", Categories: []string{"Vehicles and Automotive"}},
			{Name: "Cat", Categories: []string{"Animals and Pets"}},
		}
	}
	tests := []struct {
		name string
		f    trilobite.LabelFilter
		max  int
		want []string
	}{
		{"empty lists let all through", trilobite.LabelFilter{}, 0, []string{"Dog", "Car", "Cat"}},
		{"names in any case", trilobite.LabelFilter{Include: []string{"dog"}}, 0, []string{"Dog"}},
		{"a category", trilobite.LabelFilter{IncludeCategories: []string{"Animals and Pets"}}, 0, []string{"Dog", "Cat"}},
		{"name or category", trilobite.LabelFilter{Include: []string{"Car"}, IncludeCategories: []string{"Animals and Pets"}}, 0, []string{"Dog", "Car", "Cat"}},
		{"exclusion wins", trilobite.LabelFilter{IncludeCategories: []string{"Animals and Pets"}, Exclude: []string{"Dog"}}, 0, []string{"Cat"}},
		{"excluded category", trilobite.LabelFilter{ExcludeCategories: []string{"animals and pets"}}, 0, []string{"Car"}},
		{"the limit counts what passed", trilobite.LabelFilter{IncludeCategories: []string{"Animals and Pets"}}, 1, []string{"Dog"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := []string{}
			for _, l := range filter(labels(), tt.f, tt.max) {
				got = append(got, l.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
		})
	}
}
