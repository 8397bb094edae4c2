package components

// The names of the workflow's stages, as its states, its logs and its metrics have them.
const (
	ValidateTrade = "ValidateTrade"
	EnrichTrade   = "EnrichTrade"
	RecordTrade   = "RecordTrade"
)
