package stackconfig

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Placeholder replaces a secret value, which can't be decrypted without the stack owner's key. It is a URL, so it is
// valid where one is required.
const Placeholder = "https://secret-not-available-offline.invalid"

// WithoutSecrets removes the encryption settings from a stack's file and replaces each secret value with the
// Placeholder, so that somebody who may not decrypt the stack can preview it.
func WithoutSecrets(text []byte) ([]byte, error) {
	var file map[string]any
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	for _, setting := range []string{"secretsprovider", "encryptedkey", "encryptionsalt"} {
		delete(file, setting)
	}
	if values, ok := file["config"].(map[string]any); ok {
		file["config"] = maskSecrets(values)
	}
	masked, err := yaml.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return masked, nil
}

// maskSecrets replaces each {secure: ciphertext} at any depth.
func maskSecrets(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if _, secure := value["secure"]; secure && len(value) == 1 {
			return Placeholder
		}
		for key, element := range value {
			value[key] = maskSecrets(element)
		}
	case []any:
		for i, element := range value {
			value[i] = maskSecrets(element)
		}
	}
	return value
}
