package rules

var encryptionRules, secretRules, networkRules, identityRules, resilienceRules, computeRules, provenanceRules []Rule
