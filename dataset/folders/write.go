package folders

import "trilobite/dataset"

// Says is what the format can write down.
const Says = dataset.Labels | dataset.Parted | dataset.UnusedClasses

// Write writes a folder for each class, below one for each split where the set has
// splits. Every picture has one class.
func Write(out *dataset.Folder, s *dataset.Set) error {
	splits := map[string]bool{}
	for i := range s.Images {
		img := &s.Images[i]
		splits[img.Split] = true
		if err := out.Add(img.File, dataset.In(img.Name, img.Split, s.Classes[img.Classes[0]])); err != nil {
			return err
		}
	}
	for _, class := range s.Classes {
		if err := dataset.CheckFolderName(class); err != nil {
			return err
		}
		for split := range splits {
			if err := out.Mkdir(dataset.In(class, split)); err != nil {
				return err
			}
		}
	}
	return nil
}
