"""Tests of the generator's own logic, on a made-up library."""

import unittest
from unittest import mock

import generate
import libraries
from generate import (
    Calendar,
    Count,
    Mistake,
    Override,
    Spec,
    compare,
    format_hours,
    not_kept,
    parse_dates,
    parse_hours,
    shorten,
)
from libraries import Date, View, days

FIRST, LAST = Date(2024, 1, 1), Date(2024, 1, 31)
WEEKDAYS = {d for d in days(FIRST, LAST) if d.weekday() < 5}
HOURS = parse_hours("08:00 PRE 09:00 REGULAR 12:00 CLOSED 13:00 REGULAR 17:10 POST 18:00")


def view(closed: str = "", short: dict[Date, libraries.Times] | None = None) -> View:
    open_days = WEEKDAYS - parse_dates(closed)
    times = {d: (540, 1020) for d in open_days} | (short or {})
    return View(FIRST, LAST, open_days, "Europe/Paris", times, {d: (540, 1020) for d in open_days}, set(short or {}))


def calendar(main: View, overrides: list[Override] = (), profile: str = "paris", **fields) -> Calendar:
    spec = Spec("XPAR", [[("xc", "main")]], "", profile, "", LAST, LAST, fields.pop("carried", None), [], "")
    views = {("xc", "main"): main} | fields.pop("views", {})
    with mock.patch.object(libraries, "load", lambda library, name, first, last: views[library, name]):
        return Calendar(spec, list(overrides), {FIRST: {"": generate.Day(HOURS)}} if profile == "paris" else {})


def override(dates: str, verdict: str) -> Override:
    return Override(["XPAR"], dates, verdict, "a notice", "a line")


def compared(made: Calendar, peer: View) -> tuple[list[str], Count]:
    count = Count()
    with mock.patch.object(libraries, "load", lambda *_: peer):
        return compare(made, [("ql", "Peer")], count), count


class Dates(unittest.TestCase):
    def test_dates_ranges_years_and_every_year(self):
        self.assertEqual(
            parse_dates("2024-01-02 2024-02-01..2024-02-03"),
            {Date(2024, 1, 2), *days(Date(2024, 2, 1), Date(2024, 2, 3))},
        )
        self.assertEqual(len(parse_dates("2023..2024")), 365 + 366)
        self.assertEqual(parse_dates("12-24@2010..2011"), {Date(2010, 12, 24), Date(2011, 12, 24)})
        self.assertEqual(len(parse_dates("05-10..05-12@2034..")), 6)

    def test_every_year_is_as_far_as_calendars_go(self):
        self.assertEqual(len(parse_dates("12-24")), generate.LAST.year - generate.FIRST.year + 1)


class Hours(unittest.TestCase):
    def test_written_as_read(self):
        text = "-06:00 REGULAR 11:30 CLOSED 12:30 REGULAR 25:00"
        self.assertEqual(format_hours(parse_hours(text)), text)

    def test_disorder_is_refused(self):
        for text in ("09:00 REGULAR 08:00", "09:00 REGULAR", "09:00 OPEN 10:00"):
            with self.assertRaises(Mistake):
                parse_hours(text)

    def test_an_early_close_moves_what_follows_it(self):
        self.assertEqual(
            format_hours(shorten(HOURS, 0, -60)), "08:00 PRE 09:00 REGULAR 12:00 CLOSED 13:00 REGULAR 16:10 POST 17:00"
        )

    def test_a_morning_has_no_break(self):
        self.assertEqual(format_hours(shorten(HOURS, 0, -300)), "08:00 PRE 09:00 REGULAR 12:10 POST 13:00")

    def test_a_late_opening_moves_what_precedes_it(self):
        self.assertEqual(
            format_hours(shorten(HOURS, 60, 60)), "09:00 PRE 10:00 REGULAR 12:00 CLOSED 13:00 REGULAR 18:10 POST 19:00"
        )


class Calendars(unittest.TestCase):
    def test_the_file_has_the_week_and_the_days_that_differ(self):
        half = {Date(2024, 1, 5): (540, 720)}
        self.assertEqual(
            calendar(view("2024-01-01", half)).text(),
            "\n".join(
                (
                    "zone Europe/Paris",
                    "covers 2024-01-01 2024-01-31",
                    "hours 2024-01-01 2024-01-31",
                    f"week 2024-01-01 Mon-Fri {format_hours(HOURS)}",
                    "day 2024-01-01 closed",
                    "day 2024-01-05 08:00 PRE 09:00 REGULAR 12:10 POST 13:00",
                    "",
                )
            ),
        )

    def test_hours_of_the_library(self):
        self.assertIn("week 2024-01-01 Mon-Fri 09:00 REGULAR 17:00\n", calendar(view(), profile="library").text())

    def test_without_hours_days_are_open(self):
        text = calendar(view(), profile="").text()
        self.assertIn("week 2024-01-01 Mon-Fri open\n", text)
        self.assertNotIn("hours", text)

    def test_overrides_decide(self):
        made = calendar(
            view("2024-01-01"),
            [
                override("2024-01-01", "open"),
                override("2024-01-02", "closed"),
                override("2024-01-03", "early 12:00"),
                override("2024-01-04", "late 10:00"),
                override("2024-01-06", "13:45 REGULAR 14:45"),
                override("2024-01-08", "unknown"),
            ],
        )
        self.assertEqual(
            [str(made.day(Date(2024, 1, d))) for d in (1, 2, 3, 4, 6, 8)],
            [
                format_hours(HOURS),
                "closed",
                "08:00 PRE 09:00 REGULAR 12:10 POST 13:00",
                "09:00 PRE 10:00 REGULAR 12:00 CLOSED 13:00 REGULAR 17:10 POST 18:00",
                "13:45 REGULAR 14:45",
                "open",
            ],
        )

    def test_a_half_day_on_a_weekend_opens_nothing(self):
        self.assertEqual(str(calendar(view(), [override("2024-01-06", "early 12:00")]).day(Date(2024, 1, 6))), "closed")

    def test_a_half_session_on_a_holiday_is_carried(self):
        holiday = Date(2024, 1, 15)
        made = calendar(
            view("", {holiday: (540, 720)}), carried=("pm", "dates"), views={("pm", "dates"): view("2024-01-15")}
        )
        self.assertEqual(str(made.day(holiday)), "carried 08:00 PRE 09:00 REGULAR 12:10 POST 13:00")


class Comparison(unittest.TestCase):
    def test_a_difference_without_an_override_is_unexplained(self):
        unexplained, count = compared(calendar(view("2024-01-01")), view("2024-01-02"))
        self.assertEqual(
            unexplained,
            ["XPAR 2024-01-01 is closed, and open by ql:Peer", "XPAR 2024-01-02 is open, and closed by ql:Peer"],
        )
        self.assertEqual((count.compared, count.differences, count.explained), (2 * 31, 2, 0))

    def test_an_override_explains_the_kind_that_it_keeps(self):
        for verdict, left in (
            ("keep closed", 0),
            ("keep", 0),
            ("keep closed: ql pm", 0),
            ("keep closed: pm", 1),
            ("keep open", 1),
        ):
            with self.subTest(verdict):
                made = calendar(view("2024-01-01"), [override("2024-01-01", verdict)])
                self.assertEqual(len(compared(made, view())[0]), left)

    def test_what_an_override_changes_is_a_difference_to_the_library_itself(self):
        _, count = compared(calendar(view(), [override("2024-01-02", "closed")]), view())
        self.assertEqual((count.differences, count.explained), (2, 2))

    def test_an_override_that_changes_nothing_is_unused(self):
        for verdict in ("open", "keep open"):
            useless = override("2024-01-02", verdict)
            compared(calendar(view(), [useless]), view())
            self.assertFalse(useless.used, verdict)

    def test_a_day_that_isnt_what_an_override_keeps_is_told(self):
        for verdict, dates, told in (
            ("keep closed", "2024-01-01 2024-01-02", 1),
            ("keep closed: ql", "2024-01-02", 1),
            ("keep", "2024-01-02", 0),
            ("keep closed", "2024-01-02..2024-01-03 2025-01-01", 0),
        ):
            with self.subTest(verdict + dates):
                self.assertEqual(len(not_kept(calendar(view("2024-01-01"), [override(dates, verdict)]))), told)

    def test_a_library_without_half_days_doesnt_differ_in_them(self):
        peer = view()
        peer.short = None
        self.assertEqual(compared(calendar(view("", {Date(2024, 1, 5): (540, 720)})), peer)[0], [])


if __name__ == "__main__":
    unittest.main()
