package cidr

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestPublic(t *testing.T) {
	for says, c := range map[string]struct {
		ranges []string
		want   bool
	}{
		"everything":                                  {[]string{"0.0.0.0/0"}, true},
		"everything of IPv6":                          {[]string{"::/0"}, true},
		"everything of IPv6 in another spelling":      {[]string{"0:0::0/0"}, true},
		"bits beyond the prefix don't count":          {[]string{"192.168.7.1/0"}, true},
		"two halves":                                  {[]string{"0.0.0.0/1", "128.0.0.0/1"}, true},
		"four quarters in any order":                  {[]string{"192.0.0.0/2", "0.0.0.0/2", "128.0.0.0/2", "64.0.0.0/2"}, true},
		"a half beside all of the other half's parts": {[]string{"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "224.0.0.0/3"}, true},
		"half of the world":                           {[]string{"128.0.0.0/1"}, true},
		"what IPv6 hands out":                         {[]string{"2000::/3"}, true},
		"two neighbours of /8":                        {[]string{"16.0.0.0/8", "17.0.0.0/8"}, true},
		"/8s that aren't two halves of one range":     {[]string{"17.0.0.0/8", "18.0.0.0/8"}, false},
		"an office":                                   {[]string{"203.0.113.0/24", "198.51.100.7/32"}, false},
		"one address without a prefix":                {[]string{"203.0.113.7"}, false},
		"the private ranges":                          {[]string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8", "fe80::/10"}, false},
		"a firm's own IPv6":                           {[]string{"2001:db8::/32"}, false},
		"half of IPv6's private range":                {[]string{"fc00::/8"}, false},
		"more than IPv6's private range":              {[]string{"fc00::/6"}, true},
		"no ranges":                                   {nil, false},
		"what is no range":                            {[]string{"0.0.0.0/33", "everywhere", ""}, false},
	} {
		t.Run(says, func(t *testing.T) {
			if Public(c.ranges) != c.want {
				t.Errorf("%q: %v", c.ranges, !c.want)
			}
		})
	}
}

// However often a range is halved, its parts are the range.
func TestPartsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.IntRange(0, 255).Draw(t, "first octet")
		bits := rapid.IntRange(1, 12).Draw(t, "bits")
		parts := []string{fmt.Sprintf("%d.0.0.0/%d", first, bits)}
		want := Public(parts)
		for range rapid.IntRange(0, 6).Draw(t, "halvings") {
			prefix, err := parse(parts[0])
			if err != nil {
				t.Fatal(err)
			}
			half, _ := prefix.Addr().Prefix(prefix.Bits() + 1)
			parts = append(parts[1:], half.String(), sibling(half).String())
		}
		if Public(parts) != want {
			t.Errorf("%q: %v", parts, !want)
		}
	})
}
