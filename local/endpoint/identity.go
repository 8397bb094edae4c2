package endpoint

import (
	"context"
	"encoding/xml"

	"trade-processing/local/cloud"
)

// administrator is who calls, whatever the credentials.
const administrator = "arn:aws:iam::" + cloud.Account + ":root"

var identityOperations = map[string]operation{"GetCallerIdentity": getCallerIdentity}

// getCallerIdentity answers with the cloud's account, whoever asks.
func getCallerIdentity(*Endpoint, context.Context, string, []byte) (any, error) {
	return struct {
		XMLName xml.Name `xml:"GetCallerIdentityResponse"`
		ARN     string   `xml:"GetCallerIdentityResult>Arn"`
		UserID  string   `xml:"GetCallerIdentityResult>UserId"`
		Account string   `xml:"GetCallerIdentityResult>Account"`
	}{ARN: administrator, UserID: cloud.Account, Account: cloud.Account}, nil
}
