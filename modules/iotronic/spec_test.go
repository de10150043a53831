package iotronic

import "testing"

func TestSpecs(t *testing.T) {
	for _, m := range Modules() {
		s := m.Spec()
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if _, err := s.Sidecar(); err != nil {
			t.Error(err)
		}
	}
}
