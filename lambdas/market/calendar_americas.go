package market

import (
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
)

// toronto is used by all Canadian exchanges. Source: tsx.com, trading calendar.
func toronto() rules {
	return rules{
		closed: []*cal.Holiday{
			observed(newYearsDay, saturdayToMonday, sundayToMonday),
			onNth("Family Day", 3, time.Monday, time.February),
			goodFriday,
			ca.VictoriaDay,
			observed(onDay("Canada Day", time.July, 1), saturdayToMonday, sundayToMonday),
			ca.CivicDay,
			ca.LabourDay,
			ca.ThanksgivingDay,
			observed(christmasDay, saturdayToMonday, sundayToMonday),
			observed(boxingDay, saturdayToMonday, cal.AltDay{Day: time.Sunday, Offset: 2}, cal.AltDay{Day: time.Monday, Offset: 1}),
		},
		early: endingAt(at(13, 0), christmasEve),
	}
}

// mexico returns the calendar of the Mexican exchanges. Source: Bolsa Mexicana de Valores, calendario de días festivos.
func mexico() rules {
	return rules{
		closed: []*cal.Holiday{
			newYearsDay,
			onNth("Constitution Day", 1, time.Monday, time.February),
			onNth("Benito Juárez's birthday", 3, time.Monday, time.March),
			fromEaster("Maundy Thursday", -3),
			goodFriday,
			labourDay,
			onDay("Independence Day", time.September, 16),
			onDay("All Souls' Day", time.November, 2),
			onNth("Revolution Day", 3, time.Monday, time.November),
			onDay("Day of the Virgin of Guadalupe", time.December, 12),
			christmasDay,
		},
		closures: dates("2010-09-17"), // bicentenary of independence
	}
}

// saoPaulo returns the calendar of B3. Source: b3.com.br, calendário de negociação.
func saoPaulo() rules {
	return rules{
		closed: []*cal.Holiday{
			newYearsDay,
			fromEaster("Carnival Monday", -48),
			fromEaster("Carnival Tuesday", -47),
			goodFriday,
			br.Tiradentes,
			br.Trabalhador,
			br.CorpusChristi,
			br.Independencia,
			br.NossaSenhoraAparecida,
			br.Finados,
			br.Republica,
			from(2024, onDay("Consciência Negra", time.November, 20)), // a national holiday since 2023-12-21
			// B3 traded through city and state holidays when they were brought forward in 2020, and has done so since 2022.
			through(2021, onDay("Anniversary of São Paulo", time.January, 25)),
			except(through(2021, onDay("Constitutionalist Revolution", time.July, 9)), 2020),
			except(through(2021, onDay("Consciência Negra", time.November, 20)), 2020),
			christmasEve,
			christmasDay,
			onLastWeekday("last weekday of the year", time.December, 31),
		},
		closures: dates("2014-06-12"), // opening of the World Cup in São Paulo
	}
}
