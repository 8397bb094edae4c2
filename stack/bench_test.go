package stack

import "testing"

// BenchmarkProgram runs the whole program without an engine, as a preview does first.
func BenchmarkProgram(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		declare(b, "prod", nil)
	}
}
