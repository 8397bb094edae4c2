//go:build unix

package report

import (
	"runtime"
	"syscall"
)

// PeakMemory returns the most memory in bytes that this process ever had resident. Child processes aren't included.
func PeakMemory() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) // getrusage(2) of macOS counts bytes, all others KiB
	}
	return int64(usage.Maxrss) * 1024
}
