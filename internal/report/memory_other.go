//go:build !unix

package report

// PeakMemory returns 0: not supported on this system.
func PeakMemory() int64 { return 0 }
