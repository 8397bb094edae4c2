package contract_test

import (
	"testing"

	"trade-processing/internal/contract"
)

// root is the project's folder.
const root = "../.."

func TestWithinTheLocalCloud(t *testing.T) { contract.Run(t, root, contract.StartLocal) }
