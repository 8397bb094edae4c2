package table_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exact compares the SDK's values by their exported fields.
var exact = cmpopts.IgnoreUnexported(
	types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberL{},
	types.AttributeValueMemberM{}, types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{},
)

func wantItem(t testing.TB, got, want item) {
	t.Helper()
	if diff := cmp.Diff(want, got, exact, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the item differs (-want +got):\n%s", diff)
	}
}
