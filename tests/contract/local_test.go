package contract_test

import (
	"testing"

	"trade-processing/internal/contract"
)

func TestWithinTheLocalCloud(t *testing.T) { contract.Run(t, root, contract.StartLocal) }
