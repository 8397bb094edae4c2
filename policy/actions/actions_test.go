package actions

import "testing"

func TestUnscoped(t *testing.T) {
	for action, want := range map[string]bool{
		"s3:ListAllMyBuckets":              true,
		"secretsmanager:GetRandomPassword": true,
		"kms:createkey":                    true,
		"sqs:SendMessage":                  false,
		"s3:GetObject":                     false, // its resource types are alternatives, of which none is required
		"kms:*":                            false,
		"nosuch:Action":                    false,
		"":                                 false,
	} {
		if Unscoped(action) != want {
			t.Errorf("%s: %v", action, !want)
		}
	}
	if len(unscoped()) < 6000 {
		t.Errorf("%d actions", len(unscoped()))
	}
}
