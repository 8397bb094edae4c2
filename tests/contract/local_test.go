package contract_test

import (
	"testing"

	"trade-processing/tests/contract"
)

func TestWithinTheLocalCloud(t *testing.T) { contract.Run(t, root, contract.StartLocal) }
