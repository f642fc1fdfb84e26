package cost

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// Assumptions are what the team says of its own costs. A nil amount is unknown: whatever
// hangs on it is left out of sums and named.
type Assumptions struct {
	Volume      float64 `yaml:"volume" json:"volume"`           // images a month
	Hours       float64 `yaml:"hours" json:"hours"`             // a month that machines and endpoints run
	Utilisation float64 `yaml:"utilisation" json:"utilisation"` // share of its throughput that a machine may be loaded with, for peaks
	Months      float64 `yaml:"months" json:"months"`           // that what is paid once is spread over
	Region      string  `yaml:"region" json:"region"`           // of prices
	NewAccount  bool    `yaml:"new_account" json:"new_account"` // sums are of a month in which free tiers that end still hold

	Machine    *float64 `yaml:"machine_price" json:"machine_price"`                   // dollars an hour
	Labour     *float64 `yaml:"labour_price" json:"labour_price"`                     // dollars an hour of a person
	Labelling  *float64 `yaml:"labelling_seconds" json:"labelling_seconds"`           // for an image
	Operation  *float64 `yaml:"operation_hours" json:"operation_hours"`               // a person's, a month, for machines of one's own
	UnitSpeed  *float64 `yaml:"unit_images_per_second" json:"unit_images_per_second"` // of Custom Labels' inference unit
	NodeSpeed  *float64 `yaml:"node_images_per_second" json:"node_images_per_second"` // of a node of Vertex AI
	CloudHours *float64 `yaml:"cloud_training_hours" json:"cloud_training_hours"`     // of a vendor's training
}

// Defaults are what holds where the team says nothing. No price is among them. 730 is a
// month's hours; five images a second are what an inference unit of Custom Labels does
// (aws-samples' custom-labels-demo, pull request 6, 2019: "up to 5 TPS"). Of a node of Vertex AI
// nobody says it.
func Defaults() Assumptions {
	speed := 5.0
	return Assumptions{Volume: 100_000, Hours: 730, Utilisation: 0.5, Months: 12, UnitSpeed: &speed}
}

// Read lays a file of assumptions over a.
func (a *Assumptions) Read(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(data, a, yaml.Strict()); err != nil {
		return fmt.Errorf("assumptions %s: %w", path, err)
	}
	if err := a.Check(); err != nil {
		return fmt.Errorf("assumptions %s: %w", path, err)
	}
	return nil
}

// Check says what cannot be.
func (a *Assumptions) Check() error {
	switch {
	case !(a.Volume >= 1 && a.Volume <= 1e12):
		return fmt.Errorf("volume is %v images a month; it is 1 or more", a.Volume)
	case !(a.Hours > 0 && a.Hours <= 744):
		return fmt.Errorf("hours is %v; a month has up to 744", a.Hours)
	case !(a.Utilisation > 0 && a.Utilisation <= 1):
		return fmt.Errorf("utilisation is %v; it is above 0 and up to 1", a.Utilisation)
	case !(a.Months > 0 && a.Months <= 600):
		return fmt.Errorf("months is %v; it is above 0", a.Months)
	}
	for _, v := range []*float64{a.Machine, a.Labour, a.Labelling, a.Operation, a.CloudHours} {
		if v != nil && !(*v >= 0 && *v <= 1e9) {
			return errors.New("a price or a time is below 0 or beyond all bounds")
		}
	}
	for _, v := range []*float64{a.UnitSpeed, a.NodeSpeed} {
		if v != nil && !(*v > 0) {
			return errors.New("unit_images_per_second or node_images_per_second is not above 0")
		}
	}
	return nil
}
