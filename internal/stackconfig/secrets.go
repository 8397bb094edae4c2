package stackconfig

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Placeholder stands for a secret value, which can't be decrypted without the key that the stack's owner holds. It is a
// URL, so that it passes where one is asked for.
const Placeholder = "https://secret-not-available-offline.invalid"

// WithoutSecrets takes the encryption settings out of a stack's file and puts the Placeholder in place of each secret
// value, so that the stack can be previewed by somebody who may not decrypt it.
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
