package market

import (
	"slices"
	"strings"
	"testing"
)

// Days, hours and settlement dates that a list of holidays gets wrong, each with who says what is right.
func TestWhatExchangesAndClearersAnnounced(t *testing.T) {
	tests := []struct {
		name, mic, at, currency string
		sessions                string // any of these, or a reason; empty if it isn't the point
		tradingDay, settlement  string // empty if it isn't the point
		source                  string
	}{
		{"Taipei clears without trading before the lunar new year", "XTAI", "2026-02-11T10:00:00+08:00", "TWD", "REGULAR", "2026-02-11", "2026-02-13",
			"TWSE, holiday schedule of 2026: on 02-12 and 02-13 the market opens only for clearing and settlement"},
		{"Toronto trades on a bank holiday, when nothing settles", "XTSE", "2022-09-29T12:00:00-04:00", "CAD", "REGULAR", "2022-09-29", "2022-10-04",
			"TSX, operations notice 2022-021: 09-30 is a banking holiday only"},
		{"Toronto trades on Remembrance Day, when nothing settles", "XTSE", "2026-11-10T12:00:00-05:00", "CAD", "REGULAR", "2026-11-10", "2026-11-12",
			"QuantLib 1.44, Canada's settlement calendar"},
		{"US dollars bought in Toronto settle when both countries' banks are open", "XTSE", "2023-06-29T12:00:00-04:00", "USD", "REGULAR", "2023-06-29", "2023-07-05",
			"TSX, operations notice 2023-017"},
		{"Canadian ones don't wait for the Fourth of July", "XTSE", "2023-06-29T12:00:00-04:00", "CAD", "REGULAR", "2023-06-29", "2023-07-04",
			"TSX, operations notice 2023-017"},
		{"Mumbai trades while banks close their books", "XNSE", "2025-03-28T12:00:00+05:30", "INR", "REGULAR", "2025-03-28", "2025-04-02",
			"NSE, clearing holidays of 2025: 04-01; QuantLib, India"},
		{"nothing settled in Sydney on Melbourne Cup day until 2016", "XASX", "2015-10-29T12:00:00+11:00", "AUD", "REGULAR", "2015-10-29", "2015-11-04",
			"ASX, trading calendars until 2016; notice 0616.16.06"},
		{"and it does since", "XASX", "2017-11-03T12:00:00+11:00", "AUD", "REGULAR", "2017-11-03", "2017-11-07",
			"ASX, notice 0616.16.06"},
		{"a typhoon closes Hong Kong", "XHKG", "2023-09-01T10:00:00+08:00", "HKD", "CLOSED", "2023-09-04", "",
			"HKEX, news 2309012 and 2309083"},
		{"Mexico's change of government", "XMEX", "2024-10-01T10:00:00-06:00", "MXN", "CLOSED", "2024-10-02", "",
			"BMV, holidays of 2024"},
		{"municipal elections in South Africa", "XJSE", "2026-11-04T11:00:00+02:00", "ZAR", "CLOSED", "2026-11-05", "",
			"holidays 0.109 and QuantLib 1.44, which both have it"},
		{"Taipei's lunar new year of 2022", "XTAI", "2022-02-04T10:00:00+08:00", "TWD", "CLOSED", "2022-02-07", "",
			"holidays and QuantLib, which both have it"},
		{"Taipei's last day without trading before the new year of 2023", "XTAI", "2023-01-18T10:00:00+08:00", "TWD", "CLOSED", "2023-01-30", "",
			"holidays and QuantLib, which both have it"},
		{"Taipei works on a Saturday to make up for a holiday", "XTAI", "2018-03-31T10:00:00+08:00", "TWD", "REGULAR", "2018-03-31", "",
			"Taipei Times, 2018-07-04"},
		{"and did on others", "XTAI", "2017-09-30T10:00:00+08:00", "TWD", "REGULAR", "2017-09-30", "", "Taipei Times, 2018-07-04"},
		{"the last of them", "XTAI", "2018-12-22T10:00:00+08:00", "TWD", "REGULAR", "2018-12-22", "", "Taipei Times, 2018-07-04"},
		{"Songkran was put off in 2020", "XBKK", "2020-04-14T11:00:00+07:00", "THB", "REGULAR", "2020-04-14", "",
			"Bangkok Post, 2020-03-18: markets open on 04-13 to 04-15"},
		{"to July", "XBKK", "2020-07-27T11:00:00+07:00", "THB", "CLOSED", "2020-07-29", "", "Bank of Thailand, news 38/2020"},
		{"Riyadh traded on 22 February before Founding Day was decreed", "XSAU", "2021-02-22T12:00:00+03:00", "SAR", "REGULAR", "2021-02-22", "",
			"royal order of 2022-01-27"},
		{"a holiday for a football match", "XSAU", "2022-11-23T12:00:00+03:00", "SAR", "CLOSED", "2022-11-24", "", "Reuters, 2022-11-22"},
		{"Eid al-Adha of 2025", "XSAU", "2025-06-10T12:00:00+03:00", "SAR", "CLOSED", "2025-06-11", "",
			"Saudi Exchange: the last trading day is 06-04, trading resumes on 06-11"},
		{"Eid al-Adha of 2023 is over", "XSAU", "2023-07-02T12:00:00+03:00", "SAR", "REGULAR", "2023-07-02", "", "Zawya: trading resumes on 07-02"},
		{"Athens keeps Euronext's calendar after the merger", "ASEX", "2027-12-31T12:00:00+02:00", "EUR", "CLOSED", "2028-01-03", "",
			"holidays 0.109: closed on 31 December from 2027 on"},
		{"Muhurat in the afternoon", "XNSE", "2025-10-21T14:00:00+05:30", "INR", "REGULAR", "2025-10-21", "2025-10-23",
			"NSE, circular of 2025-09-22: 13:45 to 14:45; Angel One: settled on 10-23"},
		{"and nothing before it", "XNSE", "2025-10-21T12:00:00+05:30", "INR", "CLOSED", "2025-10-21", "2025-10-23", "NSE, circular of 2025-09-22"},
		{"Muhurat in the evening is all that Diwali had", "XNSE", "2011-10-26T12:00:00+05:30", "INR", "CLOSED", "", "", "NSE: Muhurat at 16:45 to 18:00"},
		{"the union budget on a Sunday", "XNSE", "2026-02-01T12:00:00+05:30", "INR", "REGULAR", "2026-02-01", "", "NSE, circular of 2026-01-16"},
		{"São Paulo opens late on Ash Wednesday", "BVMF", "2026-02-18T11:00:00-03:00", "BRL", "CLOSED", "2026-02-18", "", "B3: trading from 13:00, the auction from 12:45"},
		{"Seoul opens late on the day of the university entrance exam", "XKRX", "2023-11-16T16:00:00+09:00", "KRW", "REGULAR", "2023-11-16", "", "KRX: 10:00 to 16:30"},
		{"and is closed at nine", "XKRX", "2023-11-16T09:30:00+09:00", "KRW", "PRE CLOSED", "2023-11-16", "", "KRX: 10:00 to 16:30"},
		{"Johannesburg closes at noon on Christmas Eve", "XJSE", "2025-12-24T14:00:00+02:00", "ZAR", "CLOSED POST", "2025-12-24", "", "JSE, market notices: 24 and 31 December until 12:00"},
		{"Tel Aviv ends early between the days of Sukkot", "XTAE", "2025-10-09T16:00:00+03:00", "ILS", "CLOSED", "2025-10-09", "", "TASE, trading schedule; exchange_calendars: 14:15"},
		{"Dublin's half days last as long as Paris's", "XDUB", "2025-12-24T12:50:00Z", "EUR", "REGULAR", "2025-12-24", "", "Euronext, 2018-10-18: until 14:05 in Paris, since 2019-02-04"},
		{"Stockholm's half days end at 13:00 with the auction", "XSTO", "2025-04-30T13:02:00+02:00", "SEK", "POST", "2025-04-30", "", "Nasdaq's hours: auction from 12:55, closed at 13:00"},
		{"Mexico follows New York's clock in summer", "XMEX", "2027-06-01T14:30:00-06:00", "MXN", "CLOSED HOURS_NOT_COVERED", "2027-06-01", "", "BMV; Expansión, 2025-10-31"},
		{"and so does São Paulo", "BVMF", "2027-06-01T17:30:00-03:00", "BRL", "POST HOURS_NOT_COVERED", "2027-06-01", "", "B3: until 17:00 in US summer time"},
		{"a typhoon closes Taipei", "XTAI", "2024-10-31T10:00:00+08:00", "TWD", "CLOSED", "2024-11-01", "2024-11-05", "Bloomberg, 2024-10-31: trading suspended for Kong-rey"},
		{"and nothing settles there", "XTAI", "2024-10-29T10:00:00+08:00", "TWD", "REGULAR", "2024-10-29", "2024-11-01", "Bloomberg, 2024-10-31"},
		{"Lima closes with New York", "XLIM", "2024-06-03T15:30:00-05:00", "PEN", "CLOSED", "2024-06-03", "", "Gestión, 2025-03: until 15:00 from March to November"},
		{"and so in winter", "XLIM", "2024-12-03T15:30:00-05:00", "PEN", "REGULAR", "2024-12-03", "", "Gestión, 2025-03: until 16:00 from November to March"},
		{"Karachi trades in two sessions on Fridays", "XKAR", "2023-09-15T16:00:00+05:00", "PKR", "REGULAR", "2023-09-15", "", "Business Recorder, 2021-05-17"},
		{"with a break at noon", "XKAR", "2023-09-15T13:00:00+05:00", "PKR", "CLOSED", "2023-09-15", "", "Business Recorder, 2021-05-17"},
		{"and at other hours in Ramadan", "XKAR", "2024-03-20T15:00:00+05:00", "PKR", "HOURS_NOT_COVERED", "2024-03-20", "", "Business Recorder, 2024-03-11"},
		{"Buenos Aires opens earlier since July 2025", "XBUE", "2025-09-10T10:45:00-03:00", "ARS", "REGULAR", "2025-09-10", "", "iProUP, 2025"},
		{"Moscow's evenings aren't known", "MISX", "2021-06-01T20:00:00+03:00", "RUB", "HOURS_NOT_COVERED", "2021-06-01", "", "Moscow Exchange: evening sessions since 2020-06-22"},
		{"Abu Dhabi's National Day was a Monday", "XADS", "2023-12-04T12:00:00+04:00", "AED", "CLOSED", "2023-12-05", "", "UAE Cabinet, 2023-11-23"},
		{"and didn't for its elections", "XNSE", "2017-02-17T12:00:00+05:30", "INR", "REGULAR", "2017-02-17", "2017-02-22", "Patrika, 2026-01: settlement holiday on 2017-02-21"},
		{"rain delays Hong Kong", "XHKG", "2013-05-22T09:35:00+08:00", "HKD", "HOURS_NOT_COVERED", "2013-05-22", "", "Reuters, 2013-05-22"},
		{"Kuwait's Eid as its cabinet gave it", "XKUW", "2023-04-25T11:00:00+03:00", "KWD", "CLOSED", "2023-04-26", "", "Times Kuwait, 2023-04"},
		{"ash closes Manila", "XPHS", "2020-01-13T10:00:00+08:00", "PHP", "CLOSED", "2020-01-14", "", "The Philippine Star, 2020-01-13"},
		{"Manila ends at noon in one year", "XPHS", "2021-12-24T14:00:00+08:00", "PHP", "CLOSED", "2021-12-24", "", "ABS-CBN, 2021-12-15"},
		{"Jakarta's holiday of a single year", "XIDX", "2025-08-18T10:00:00+07:00", "IDR", "CLOSED", "2025-08-19", "", "IDX, Peng-00149/BEI.POP/08-2025"},
		{"Jakarta's collective leave of 2022", "XIDX", "2022-04-28T10:00:00+07:00", "IDR", "", "2022-04-28", "2022-05-10", "IDX: closed from 04-29 to 05-06"},
		{"Kuala Lumpur's election", "XKLS", "2022-11-18T10:00:00+08:00", "MYR", "CLOSED", "2022-11-21", "", "Reuters, 2022-11-16"},
		{"Kuala Lumpur wins a cup", "XKLS", "2021-12-03T10:00:00+08:00", "MYR", "CLOSED", "2021-12-06", "", "The Malaysian Reserve, 2021-12-02"},
		{"Kuala Lumpur's holiday on a Sunday is moved", "XKLS", "2022-05-16T10:00:00+08:00", "MYR", "CLOSED", "2022-05-17", "", "Malay Mail, 2022-05-17"},
		{"and another that the libraries have isn't", "XKLS", "2022-02-03T10:00:00+08:00", "MYR", "REGULAR", "2022-02-03", "", "Malay Mail, 2022-02-03"},
		{"Bangkok's new year was moved to December", "XBKK", "2024-01-02T11:00:00+07:00", "THB", "REGULAR", "2024-01-02", "", "Bank of Thailand: 2023-12-29 in place of 2024-01-02"},
		{"Riyadh keeps National Day on Thursday", "XSAU", "2022-09-22T12:00:00+03:00", "SAR", "CLOSED", "2022-09-25", "", "Zawya, on the exchange's notice"},
		{"Buenos Aires closes on a bridge day", "XBUE", "2024-06-21T12:00:00-03:00", "ARS", "CLOSED", "2024-06-24", "", "BCRA, holidays of 2024"},
		{"and trades when a holiday isn't moved", "XBUE", "2024-10-14T12:00:00-03:00", "ARS", "REGULAR", "2024-10-14", "2024-10-15", "BCRA, holidays of 2024"},
		{"Mumbai tests its systems on a Saturday", "XNSE", "2012-04-28T12:00:00+05:30", "INR", "REGULAR", "2012-04-28", "", "NSE, circular 032/2012: 11:15 to 12:45"},
		{"and not in the afternoon", "XNSE", "2012-04-28T13:00:00+05:30", "INR", "CLOSED", "2012-04-28", "", "NSE, circular 032/2012"},
		{"Mumbai opened at nine in 2010", "XNSE", "2010-05-03T09:05:00+05:30", "INR", "REGULAR", "2010-05-03", "", "pandas_market_calendars: until 2010-10-15"},
		{"Mumbai made up for a failure until five", "XNSE", "2021-02-24T16:30:00+05:30", "INR", "REGULAR", "2021-02-24", "", "pandas_market_calendars: 15:45 to 17:00"},
		{"Mumbai's clearing keeps Buddha Pournima", "XNSE", "2018-04-27T12:00:00+05:30", "INR", "REGULAR", "2018-04-27", "2018-05-03", "Zerodha, 2018-04-26"},
	}
	r := loaded(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := venueNamed(t, r, test.mic).At(instant(t, test.at), test.currency)
			session := string(m.Session)
			if session == "" {
				session = string(m.Reasons[0])
			}
			if test.sessions != "" && !slices.Contains(strings.Fields(test.sessions), session) {
				t.Errorf("the session is %s, not %s (%s)", session, test.sessions, test.source)
			}
			if test.tradingDay != "" && m.TradingDay.String() != test.tradingDay {
				t.Errorf("it counts for %s, not %s (%s)", m.TradingDay, test.tradingDay, test.source)
			}
			if test.settlement != "" && m.Settlement.String() != test.settlement {
				t.Errorf("it settles on %s, not %s (%s)", m.Settlement, test.settlement, test.source)
			}
		})
	}
}
