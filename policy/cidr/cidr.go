// Package cidr judges lists of address ranges.
package cidr

import (
	"net/netip"
	"strings"
)

// The shortest prefixes that still name somebody: what S3 takes for public is broader than /8, or /32 for IPv6, outside
// private ranges (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html). So
// half of the world counts as the world.
const shortest, shortest6 = 8, 32

// private are the private ranges that are broader than that.
var private = []netip.Prefix{netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10")}

// Public reports whether ranges, taken together, are so broad that they let in strangers. What isn't a range is left
// out: AWS refuses it.
func Public(ranges []string) bool {
	known := map[netip.Prefix]bool{}
	for _, text := range ranges {
		if prefix, err := parse(text); err == nil {
			known[prefix] = true
		}
	}
	for bits := 128; bits > 0; bits-- { // two halves are the range that is one bit shorter
		for prefix := range known {
			if prefix.Bits() == bits && known[sibling(prefix)] {
				known[netip.PrefixFrom(prefix.Addr(), bits-1).Masked()] = true
			}
		}
	}
	for prefix := range known {
		if prefix.Bits() < least(prefix) && !isPrivate(prefix) {
			return true
		}
	}
	return false
}

// parse reads a range as AWS does: an address alone is a range of one, and bits beyond the prefix don't count.
func parse(text string) (netip.Prefix, error) {
	if text = strings.TrimSpace(text); !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		return netip.PrefixFrom(address, address.BitLen()), err
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

// sibling returns the other half of the range that is one bit shorter.
func sibling(prefix netip.Prefix) netip.Prefix {
	address, last := prefix.Addr().AsSlice(), prefix.Bits()-1
	address[last/8] ^= 1 << (7 - last%8)
	other, _ := netip.AddrFromSlice(address)
	return netip.PrefixFrom(other, prefix.Bits())
}

func least(prefix netip.Prefix) int {
	if prefix.Addr().Is4() {
		return shortest
	}
	return shortest6
}

func isPrivate(prefix netip.Prefix) bool {
	for _, own := range private {
		if own.Contains(prefix.Addr()) && prefix.Bits() >= own.Bits() {
			return true
		}
	}
	return false
}
