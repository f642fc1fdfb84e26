package taxonomy

import "testing"

func TestBroader(t *testing.T) {
	t.Parallel()
	tax := open(t)
	tests := []struct {
		reason, class, name string
		want                bool
	}{
		{"an ancestor in the table", "Food", "Pizza", true},
		{"a table's row that WordNet puts under the class", "vertebrate", "Dog", true},
		{"two names that only WordNet has", "arthropod", "mantis", true},
		{"a narrower class is no answer to a broader name", "Pizza", "Food", false},
		{"siblings", "Cat", "Dog", false},
		{"itself", "Dog", "Dog", false},
		{"nobody knows it", "widget no. 7", "Dog", false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			if got := tax.Broader(tt.class, tt.name); got != tt.want {
				t.Errorf("Broader(%q, %q) = %v", tt.class, tt.name, got)
			}
		})
	}
	bare, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if bare.Broader("vertebrate", "Dog") || !bare.Broader("Animal", "Dog") {
		t.Error("without WordNet the table alone answers")
	}
}

func TestSingular(t *testing.T) {
	t.Parallel()
	tax := open(t)
	for name, want := range map[string]string{
		"bees": "bee", "Ants": "ant", "cherries": "cherry", "foxes": "fox", "churches": "church",
		"dog": "dog", "glasses": "glasses", "bus": "bus", "qqqs": "qqqs", "": "",
	} {
		if got := tax.Singular(name); got != want {
			t.Errorf("Singular(%q) = %q, want %q", name, got, want)
		}
	}
}
