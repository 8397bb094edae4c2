//go:build !unix

package report

// PeakMemory returns 0: this system isn't asked.
func PeakMemory() int64 { return 0 }
