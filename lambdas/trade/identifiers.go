package trade

// Identifiers of securities and of legal entities, and their check digits.

func isUpperAlphanumeric(s string) bool {
	for i := range len(s) {
		if !isUpper(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isISIN reports whether s has the form of an ISO 6166 ISIN: a prefix of two letters, nine letters or digits, a check
// digit. HasISINPrefix says whether somebody assigns the prefix.
func isISIN(s string) bool {
	return len(s) == isinLength && isUpper(s[0]) && isUpper(s[1]) && isUpperAlphanumeric(s) && isDigit(s[11])
}

// hasISINCheckDigit applies ISO 6166's check: letters become the two digits of A=10 to Z=35, and every second digit
// from the right is doubled (Luhn); the digits' sum ends in 0.
func hasISINCheckDigit(isin string) bool {
	sum, double := 0, false
	add := func(digit int) {
		if double {
			digit *= 2
		}
		sum += digit/10 + digit%10
		double = !double
	}
	for i := len(isin) - 1; i >= 0; i-- {
		n := alphanumericValue(isin[i])
		add(n % 10)
		if n >= 10 {
			add(n / 10)
		}
	}
	return sum%10 == 0
}

// isLEI reports whether s has the form of an ISO 17442 legal entity identifier: eighteen letters or digits, two check
// digits.
func isLEI(s string) bool {
	return len(s) == 20 && isUpperAlphanumeric(s) && isDigit(s[18]) && isDigit(s[19])
}

// hasLEICheckDigits applies ISO 7064's MOD 97-10: with letters as the two digits of A=10 to Z=35 the number is 1 modulo
// 97. The standard produces only check digits from 02 to 98; 00, 01 and 99 are congruent to real ones but never issued.
func hasLEICheckDigits(lei string) bool {
	switch lei[18:] {
	case "00", "01", "99":
		return false
	}
	remainder := 0
	for i := range len(lei) {
		n := alphanumericValue(lei[i])
		if n >= 10 {
			remainder = (remainder*100 + n) % 97
		} else {
			remainder = (remainder*10 + n) % 97
		}
	}
	return remainder == 1
}

// alphanumericValue returns the value of 0-9 and A-Z in check digits: 0 to 35.
func alphanumericValue(c byte) int {
	if isDigit(c) {
		return int(c - '0')
	}
	return int(c-'A') + 10
}
