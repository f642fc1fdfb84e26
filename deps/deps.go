// Package deps is the pinned list of everything that Trilobite takes from a package
// registry: native libraries, weights and data. deps.yaml is the list; package fetch
// downloads what it names and verifies it.
package deps

import (
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed deps.yaml
var list []byte

// Package is one pinned package.
type Package struct {
	Name     string             `yaml:"name"`
	Registry string             `yaml:"registry"` // npm or pypi
	Version  string             `yaml:"version"`
	Licence  string             `yaml:"licence"`
	Use      string             `yaml:"use"`      // build, run, test or pull
	Archives map[string]Archive `yaml:"archives"` // by GOOS/GOARCH, or any
	Files    map[string]string  `yaml:"files"`    // path in the archive -> folder
}

// Archive is a package's file for one platform.
type Archive struct {
	Package string `yaml:"package"` // the platform's own package name, if it has one
	Python  string `yaml:"python"`  // interpreter tag of a wheel, for example cp311
	Tag     string `yaml:"tag"`     // platform tag of a wheel
	Hash    string `yaml:"hash"`    // npm: sha512 in base64; pypi: sha256 in hex
}

// Packages returns the list.
func Packages() ([]Package, error) {
	var doc struct {
		Packages []Package `yaml:"packages"`
	}
	if err := yaml.UnmarshalWithOptions(list, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("reading deps.yaml: %w", err)
	}
	return doc.Packages, nil
}

// Find returns the package called name.
func Find(name string) (Package, error) {
	all, err := Packages()
	if err != nil {
		return Package{}, err
	}
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
	}
	return Package{}, fmt.Errorf("deps.yaml lists no package %q", name)
}

// Archive returns the package's archive for a platform, GOOS/GOARCH.
func (p Package) Archive(platform string) (Archive, error) {
	a, ok := p.Archives[platform]
	if !ok {
		a, ok = p.Archives["any"]
	}
	if !ok {
		return Archive{}, fmt.Errorf("%s %s has no archive for %s", p.Name, p.Version, platform)
	}
	if a.Package == "" {
		a.Package = p.Name
	}
	return a, nil
}
