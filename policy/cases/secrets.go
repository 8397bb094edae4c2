package cases

func secretCases() []Case {
	const function, parameter = "aws:lambda/function:Function", "aws:ssm/parameter:Parameter"
	variables := func(members in) []Resource {
		return one(function, in{"environment": in{"variables": members}})
	}
	const (
		names  = "function-environment-secret-names"
		values = "function-environment-secret-values"
		random = "q7Zp3Lk9Xv2Rt8Ws5Yb1Nm4Hc6Jd0GfA" // 32 characters, each once: 5 bits
	)
	return []Case{
		breaks(names, "a variable named PASSWORD", variables(in{"DB_PASSWORD": "hunter2", "LOG_LEVEL": "INFO"}), "environment.variables.DB_PASSWORD holds a secret, by its name."),
		breaks(names, "a name in camel case", variables(in{"marketApiKey": "abc"}), "environment.variables.marketApiKey holds a secret"),
		breaks(names, "words that are run together", variables(in{"PGPASSWORD": "hunter2"}), "environment.variables.PGPASSWORD holds a secret"),
		breaks(names, "a key in one word", variables(in{"DBENCRYPTIONKEY": "abc"}), "environment.variables.DBENCRYPTIONKEY holds a secret"),
		breaks(names, "an acronym before a word", variables(in{"GITHUBToken": "abc"}), "environment.variables.GITHUBToken holds a secret"),
		breaks(names, "a key that encrypts", variables(in{"COOKIE_SIGNING_KEY_2": "abc"}), "environment.variables.COOKIE_SIGNING_KEY_2 holds a secret"),
		breaks(names, "a secret of an address", variables(in{"WEBHOOK_URL_SECRET": "abc"}), "environment.variables.WEBHOOK_URL_SECRET holds a secret"),
		breaks(names, "a password of digits", variables(in{"SMTP_PASS": "123456"}), "environment.variables.SMTP_PASS holds a secret"),
		keeps(names, "what is counted", variables(in{"MAX_TOKENS": "4096", "SESSION_TOKENS": "15m"})),
		keeps(names, "what is said about a secret", variables(in{"PASSWORD_MIN_CHARS": "twelve", "TokenEndpointHost": "login", "SECRETS_EXTENSION_HTTP_PORT": "x"})),
		keeps(names, "a switch, an address and the name of a secret", variables(in{"USE_PASSWORD": "true", "AUTH_TOKENS": "https://login.example/token", "DB_SECRET": "prod/orders/db2"})),
		keeps(names, "keys that everybody may know", variables(in{"PUBLIC_KEY": "abc", "PARTITION_KEY": "tradeId", "PASSENGER": "Jane"})),
		keeps(names, "a variable that says where the secret is", variables(in{"DB_PASSWORD": "arn:aws:secretsmanager:us-east-1:111122223333:secret:db"})),
		keeps(names, "a name that promises the address of a secret", variables(in{"API_KEY_PARAMETER": "market-key", "TOKEN_TTL": "60"})),
		keeps(names, "an empty variable", variables(in{"DB_PASSWORD": ""})),
		keeps(names, "a word that holds another", variables(in{"SECRETARY": "Jane", "KEYBOARD": "qwerty"})),
		keeps(names, "a name that the firm allows", variables(in{"MAX_TOKENS": "many"})).with("allowedNames", texts("MAX_*")),
		breaks(names, "a name that the firm doesn't allow", variables(in{"MIN_TOKENS": "many"}), "environment.variables.MIN_TOKENS").with("allowedNames", texts("MAX_*")),

		breaks(values, "an access key of AWS", variables(in{"ID": "AKIAABCDEFGHIJKLMNOP"}), "environment.variables.ID looks like an AWS access key."),
		breaks(values, "a URL with a password", variables(in{"DATABASE": "postgres://app:hunter2@db.example.com/app"}), "environment.variables.DATABASE looks like a URL with a password."),
		breaks(values, "a private key", variables(in{"CERT": "-----BEGIN RSA PRIVATE KEY-----\nMII"}), "environment.variables.CERT looks like a private key."),
		breaks(values, "a random text", variables(in{"SALT": random}), "environment.variables.SALT looks like a random text."),
		breaks(values, "a secret access key of AWS, from its documentation", variables(in{"KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}), "environment.variables.KEY looks like a random text."),
		breaks(values, "padded base64", variables(in{"KEY": "Zm9vL2Jhci9iYXovcXV4/zEyMzQ1Njc4OTA="}), "environment.variables.KEY looks like a random text."),
		keeps(values, "a path with capitals and digits", variables(in{"PREFIX": "Shop/Orders1/Invoices2/Parcels3"})),
		keeps(values, "words and a year in camel case", variables(in{"QUEUE": "SettlementInstructionsProd2027Archive"})),
		keeps(values, "what CloudFormation calls a resource", variables(in{"TABLE": "ShopProd-OrdersTable9F8E7D6C-1QZ6WJ0Y0XK7C"})),
		keeps(values, "a random text that is short", variables(in{"SALT": random[:19]})),
		keeps(values, "a long name", variables(in{"TABLE": "trade-processing-prod-trades"})),
		keeps(values, "a long name in camel case with a digit has few bits", variables(in{"TABLE": "AnnaAnnaAnnaAnnaAnna1"})),
		keeps(values, "a digest has no capitals", variables(in{"DIGEST": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
		keeps(values, "capitals and digits only", variables(in{"CODE": "ABCDEFGHIJKLMNOPQRSTUV0123456789"})),
		keeps(values, "letters only", variables(in{"ALPHABET": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"})),
		keeps(values, "more bits are asked for", variables(in{"SALT": random})).with("leastEntropy", 6.0),

		breaks("parameter-secret-names", "a plain parameter named password", one(parameter, in{"name": "/shop/db/password", "type": "String", "value": "hunter2"}), `type is String, but the name "/shop/db/password" suggests a secret.`),
		keeps("parameter-secret-names", "a secure string named password", one(parameter, in{"name": "/shop/db/password", "type": "SecureString", "value": Secret{"hunter2"}})),
		keeps("parameter-secret-names", "a folder named secrets is no secret", one(parameter, in{"name": "/shop/secrets/endpoint", "type": "String", "value": "https"})),
		keeps("parameter-secret-names", "a plain parameter that holds the address of a secret", one(parameter, in{"name": "/shop/db/password", "type": "String", "value": "arn:aws:secretsmanager:us-east-1:111122223333:secret:db"})),
		breaks("parameter-secret-names", "an insecure value named token", one(parameter, in{"name": "/shop/token", "type": "String", "insecureValue": "abc"}), `type is String, but the name "/shop/token" suggests a secret.`),
		keeps("parameter-secret-names", "a name that the firm allows", one(parameter, in{"name": "/shop/token", "type": "String", "value": "x"})).with("allowedNames", texts("/shop/*")),

		breaks("parameter-secret-values", "a plain parameter with a token", one(parameter, in{"name": "/shop/x", "type": "StringList", "value": "xoxb-0123456789-abc"}), "value looks like a Slack token."),
		breaks("parameter-secret-values", "an insecure value with a web token", one(parameter, in{"name": "/shop/x", "type": "String", "insecureValue": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"}), "insecureValue looks like a JSON web token."),
		keeps("parameter-secret-values", "a secure string with a token", one(parameter, in{"name": "/shop/x", "type": "SecureString", "value": Secret{"xoxb-0123456789-abc"}})),
		keeps("parameter-secret-values", "a number", one(parameter, in{"name": "/shop/x", "type": "String", "value": "1000000"})),

		breaks("secure-string-is-secret", "a secure string in plain text", one(parameter, in{"type": "SecureString", "value": "hunter2"}), "value is not secret to Pulumi."),
		breaks("secure-string-is-secret", "a plain text that begins like a path", one(parameter, in{"type": "SecureString", "value": "/hunter2"}), "value is not secret to Pulumi."),
		keeps("secure-string-is-secret", "a secret", one(parameter, in{"type": "SecureString", "value": Secret{"hunter2"}})),
		keeps("secure-string-is-secret", "a plain parameter", one(parameter, in{"type": "String", "value": "5"})),
		keeps("secure-string-is-secret", "a secure string without a value", one(parameter, in{"type": "SecureString"})),
	}
}
