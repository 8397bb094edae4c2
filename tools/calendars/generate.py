"""Writes the market reference data from libraries of exchange calendars, and compares these with one another.

README.md says how it is run and what its inputs mean.
"""

import argparse
import bisect
import csv
import datetime
import functools
import re
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import libraries
from libraries import Date, View, days

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "lambdas/market/data"
FIRST, LAST = Date(2010, 1, 1), Date(2035, 12, 31)
HOURS_LAST = Date(2027, 12, 31)  # trading hours are announced a year ahead, not ten
WARN = datetime.timedelta(days=120)
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Transition = tuple[int, str]  # minutes since midnight, and the phase from then on; empty at the end
Hours = tuple[Transition, ...]


class Mistake(Exception):
    """Something in the inputs that a person has to fix."""


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in path.read_text().splitlines() if line and not line.startswith("#")))


# --- Inputs ---


def parse_clock(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hour, minute = text.removeprefix("-").split(":")
    return sign * (int(hour) * 60 + int(minute))


def format_clock(minutes: int) -> str:
    return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def parse_hours(text: str) -> Hours:
    words = text.split()
    hours = tuple((parse_clock(words[i]), words[i + 1] if i + 1 < len(words) else "") for i in range(0, len(words), 2))
    if (
        [t for t, _ in hours] != sorted({t for t, _ in hours})
        or hours[-1][1]
        or any(p not in ("PRE", "REGULAR", "POST", "CLOSED") for _, p in hours[:-1])
    ):
        raise Mistake(f"hours {text!r} aren't times in order with a phase after each but the last")
    return hours


def format_hours(hours: Hours) -> str:
    return " ".join(f"{format_clock(t)} {phase}".rstrip() for t, phase in hours)


def parse_dates(text: str) -> set[Date]:
    """Dates, and ranges of dates or years with ..; or MM-DD for every year, which may be limited: 12-24@2010..2018."""
    found: set[Date] = set()
    for word in text.split():
        day, _, limit = word.partition("@")
        first, last = _range(limit) if limit else (FIRST, LAST)
        if re.fullmatch(r"\d\d-\d\d(\.\.\d\d-\d\d)?", day):
            begin, _, end = day.partition("..")
            found |= {d for d in days(first, last) if begin <= f"{d:%m-%d}" <= (end or begin)}
        else:
            found |= set(days(*_range(day)))
    return found


def _range(text: str) -> tuple[Date, Date]:
    first, dots, last = text.partition("..")
    last = last if dots else first
    whole = lambda t, end: Date.fromisoformat(t + end if len(t) == 4 else t)
    return whole(first, "-01-01") if first else FIRST, whole(last, "-12-31") if last else LAST


@dataclass
class Override:
    """A line of overrides.csv: what holds on some days, whatever a library says."""

    calendars: list[str]
    written: str
    verdict: str
    source: str
    line: str
    used: bool = False

    def __post_init__(self) -> None:
        self.dates = parse_dates(self.written)
        # Those listed one by one.
        self.named = [Date.fromisoformat(w) for w in self.written.split() if re.fullmatch(r"\d{4}-\d\d-\d\d", w)]

    def keeps(self) -> bool:
        return self.verdict.split(":")[0].split()[0] == "keep"

    def explains(self, day: Date, kind: str, library: str) -> bool:
        """Whether the line says why a library differs: it set the day, or keeps its kind against that library."""
        if day not in self.dates or not self.keeps():
            return day in self.dates
        kept, _, against = self.verdict.partition(":")
        return kept in ("keep", f"keep {kind}") and (not against or library.partition(":")[0] in against.split())


@dataclass
class Spec:
    """A line of calendars.csv."""

    name: str
    libraries: list[list[tuple[str, str]]]  # open where every group has a library that is open
    zone: str
    profile: str
    begins: str
    last: Date
    hours_last: Date
    carried: tuple[str, str] | None  # open days that this library says are closed count for the next trading day
    peers: list[tuple[str, str]]
    note: str


def specs() -> list[Spec]:
    found = []
    for row in read_csv(HERE / "calendars.csv"):
        groups = [[_source(word) for word in group.split("|")] for group in row["libraries"].split("&")]
        found.append(
            Spec(
                row["calendar"],
                groups,
                row["zone"],
                row["hours"],
                row["begins"],
                Date.fromisoformat(row["until"]) if row["until"] else LAST,
                Date.fromisoformat(row["hoursUntil"]) if row["hoursUntil"] else HOURS_LAST,
                _source(row["carried"]) if row["carried"] else None,
                [_source(word) for word in row["peers"].split()],
                row["why"],
            )
        )
    return found


def _source(word: str) -> tuple[str, str]:
    library, _, name = word.partition(":")
    return library, name


@functools.cache
def overrides() -> list[Override]:
    return [
        Override(row["calendars"].split(), row["dates"], row["verdict"], row["source"], ",".join(row.values()))
        for row in read_csv(HERE / "overrides.csv")
    ]


@functools.cache
def profiles() -> dict[str, dict[Date, dict[str, "Day"]]]:
    """Hours by profile, first date and days of the week (empty: all others)."""
    found: dict[str, dict[Date, dict[str, Day]]] = {}
    for row in read_csv(HERE / "hours.csv"):
        since = Date.fromisoformat(row["from"]) if row["from"] else FIRST
        found.setdefault(row["profile"], {}).setdefault(since, {})[row["days"]] = parse_day(row["hours"])
    return found


# --- A calendar ---


@dataclass
class Day:
    """What happens on a date: nothing without hours, an open day of unknown hours if they are empty."""

    hours: Hours | None
    carried: bool = False  # trades count for the next trading day

    def __str__(self) -> str:
        if self.hours is None:
            return "closed"
        return ("carried " if self.carried else "") + (format_hours(self.hours) if self.hours else "open")


CLOSED, OPEN = Day(None), Day(())


def parse_day(text: str) -> Day:
    words = text.removeprefix("carried ")
    return Day(() if words == "open" else parse_hours(words), words != text)


class Calendar:
    """A calendar as it is put together: libraries first, then overrides; hours from the profile or the library."""

    def __init__(self, spec: Spec, lines: list[Override], hours: dict[Date, dict[str, Day]]):
        self.spec = spec
        self.overrides = [o for o in lines if spec.name in o.calendars]
        self.hours = hours
        groups = [
            [libraries.load(library, name, FIRST, spec.last) for library, name in group] for group in spec.libraries
        ]
        self.view: View = groups[0][0]
        self.first = min(v.first for group in groups for v in group)
        self.last = min(v.last for group in groups for v in group)
        # A library that begins later than another says nothing about the days before.
        self.open = {
            d
            for d in days(self.first, self.last)
            if all(any(d in v.open or d < v.first for v in group) for group in groups)
        }
        self.short = set(self.view.short or ()) & self.open if len(groups) == 1 and len(groups[0]) == 1 else set()
        self.carried: set[Date] = set()
        if spec.carried:
            self.carried = self.open - libraries.load(*spec.carried, FIRST, spec.last).open
        self.special: dict[Date, str] = {}
        self.library_says = {d: self.kind(d) for d in days(self.first, self.last)}
        self._override()
        self._eras()

    def kind(self, day: Date) -> str:
        return "closed" if day not in self.open else "short" if day in self.short else "open"

    def _override(self) -> None:
        for o in self.overrides:
            if o.keeps():
                continue
            for day in o.dates:
                if not self.first <= day <= self.last:
                    continue
                partial = o.verdict.split()[0] in ("early", "late")
                if partial and day not in self.open:
                    continue
                before = self.kind(day), self.special.get(day), day in self.carried
                if not partial:
                    self.carried.discard(day)
                self.short.discard(day)
                self.special.pop(day, None)
                if o.verdict == "closed":
                    self.open.discard(day)
                else:
                    self.open.add(day)
                if o.verdict not in ("closed", "open"):
                    self.short.add(day)
                    self.special[day] = o.verdict
                o.used |= before != (self.kind(day), self.special.get(day), day in self.carried)

    def _eras(self) -> None:
        """The weeks that apply from a date on: the profile's, or as the library's regular times change."""
        self.weeks: dict[Date, dict[int, Day]] = {}
        if self.hours:
            changes = set(self.hours) | {self.first}
        elif self.spec.profile == "library":
            changes, before = {self.first}, None
            for day in sorted(self.view.usual):
                if before not in (None, self.view.usual[day]):
                    changes.add(day)
                before = self.view.usual[day]
        else:
            changes = {self.first}
        starts = sorted(d for d in changes if d <= self.last)
        for i, since in enumerate(starts):
            since = max(since, self.first)
            until = starts[i + 1] - datetime.timedelta(days=1) if i + 1 < len(starts) else self.last
            counts = [[0, 0] for _ in WEEK]
            for day in days(since, until):
                counts[day.weekday()][day in self.open] += 1
            self.weeks[since] = {w: self._regular(since, w) for w in range(7) if counts[w][1] > counts[w][0]}
            self.weeks[since] |= {w: d for w in range(7) if (d := self._regular(since, w)).carried}
        self.starts = sorted(self.weeks)

    def _regular(self, since: Date, weekday: int) -> Day:
        if self.hours:
            known = [d for d in self.hours if d <= since]
            rows = self.hours[max(known)] if known else {}
            for names, on in rows.items():
                if names and weekday in parse_weekdays(names):
                    return on
            return rows.get("", OPEN)
        if self.spec.profile == "library":
            for day in days(since, min(since + datetime.timedelta(days=60), self.last)):
                if day.weekday() == weekday and day in self.view.usual:
                    return Day(_from_times(self.view.usual[day]))
        return OPEN

    def week(self, day: Date) -> dict[int, Day]:
        return self.weeks[self.starts[bisect.bisect_right(self.starts, day) - 1]]

    def known_hours(self) -> tuple[Date, Date] | None:
        """The dates between which hours are known."""
        known = [since for since, rows in self.hours.items() if all(on.hours for on in rows.values())]
        if self.spec.profile == "continuous":
            return self.first, self.last
        if self.spec.profile == "library":
            known = [self.first]
        return (max(self.first, min(known)), min(self.spec.hours_last, self.last)) if known else None

    def day(self, day: Date) -> Day:
        week = self.week(day)
        if day not in self.open:
            on = week.get(day.weekday(), CLOSED)
            return on if on.carried else CLOSED
        known = self.known_hours()
        if not known or not known[0] <= day <= known[1]:
            return Day((), True) if day in self.carried else week.get(day.weekday(), OPEN)
        carried = day in self.carried
        regular = week.get(day.weekday()) or week.get(2) or week.get(0) or OPEN
        special = self.special.get(day, "")
        if special == "unknown":
            return OPEN
        if special and special.split()[0] not in ("early", "late"):
            return Day(parse_hours(special.removeprefix("carried ")), special.startswith("carried "))
        if day not in self.short:
            return Day(regular.hours, carried)
        usual = self.view.usual.get(day) or next(iter(self.view.usual.values()))
        times = self.view.times.get(day, usual)
        opens, closes = times[0], times[-1]
        if special:
            opens, closes = usual[0], usual[-1]
            words = dict(zip(special.split()[::2], special.split()[1::2]))
            opens = parse_clock(words["late"]) if "late" in words else opens
            closes = parse_clock(words["early"]) if "early" in words else closes
        if self.spec.profile == "library":
            return Day(_from_times(times if not special else (opens, *usual[1:-1], closes)), carried)
        return Day(shorten(regular.hours or (), opens - usual[0], closes - usual[-1]), carried)

    # --- Output ---

    def text(self) -> str:
        known = self.known_hours()
        lines = [f"# {self.spec.note}"] if self.spec.note else []
        lines += [f"zone {self.spec.zone or self.view.zone}", f"covers {self.first} {self.last}"]
        if self.spec.begins:
            lines.append(f"begins {self.spec.begins}")
        if known:
            lines.append(f"hours {known[0]} {known[1]}")
        for since, week in sorted(self.weeks.items()):
            by_hours: dict[str, list[int]] = {}
            for weekday, regular in week.items():
                by_hours.setdefault("continuous" if self.spec.profile == "continuous" else str(regular), []).append(
                    weekday
                )
            lines += [f"week {since} {format_weekdays(on)} {hours}" for hours, on in by_hours.items()]
        by_year: dict[tuple[int, str], list[Date]] = {}
        for day in days(self.first, self.last):
            on, expected = self.day(day), self.week(day).get(day.weekday(), CLOSED)
            if str(on) != str(expected):
                by_year.setdefault((day.year, str(on)), []).append(day)
        lines += [f"day {','.join(map(str, on))} {hours}" for (_, hours), on in by_year.items()]
        return "\n".join(lines) + "\n"


def parse_weekdays(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split("/"):
        first, _, last = part.partition("-")
        found += range(WEEK.index(first), WEEK.index(last or first) + 1)
    return found


def format_weekdays(on: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for w in sorted(on):
        if runs and runs[-1][-1] == w - 1:
            runs[-1].append(w)
        else:
            runs.append([w])
    return ",".join(WEEK[r[0]] if len(r) == 1 else f"{WEEK[r[0]]}-{WEEK[r[-1]]}" for r in runs)


def _from_times(times: libraries.Times) -> Hours:
    if len(times) == 4:
        return (times[0], "REGULAR"), (times[1], "CLOSED"), (times[2], "REGULAR"), (times[3], "")
    return (times[0], "REGULAR"), (times[-1], "")


def shorten(hours: Hours, later: int, earlier: int) -> Hours:
    """Hours that open `later` minutes later and close `-earlier` minutes earlier: what comes before the opening moves
    with it, and what comes after the closing. A break that would end after the closing is dropped."""
    first = next(i for i, (_, phase) in enumerate(hours) if phase == "REGULAR")
    last = max(i for i, (_, phase) in enumerate(hours) if phase == "REGULAR")
    opening = [(t + later, phase) for t, phase in hours[: first + 1]]
    closing = [(t + earlier, phase) for t, phase in hours[last + 1 :]]
    middle = list(hours[first + 1 : last + 1])
    while middle and middle[-1][0] >= closing[0][0]:  # the resumption, and with it the break
        del middle[-2:]
    return tuple(opening + middle + closing)


# --- Comparison ---


@dataclass
class Count:
    compared: int = 0
    differences: int = 0
    explained: int = 0


def compare(calendar: Calendar, peers: list[tuple[str, str]], count: Count) -> list[str]:
    """Compares a calendar with its libraries; returns a line for each difference that no override explains."""
    unexplained = []
    views: list[tuple[str, dict[Date, str]]] = [("libraries", calendar.library_says)]
    for library, name in peers:
        view = libraries.load(library, name, FIRST, calendar.last)
        kinds = {d: view.kind(d) for d in days(max(view.first, calendar.first), min(view.last, calendar.last))}
        if view.short is None:  # the peer knows no short days, so they are no difference
            kinds = {d: "short" if k == "open" and calendar.kind(d) == "short" else k for d, k in kinds.items()}
        views.append((f"{library}:{name}", kinds))
    for name, kinds in views:
        for day, said in kinds.items():
            count.compared += 1
            if said == calendar.kind(day):
                continue
            count.differences += 1
            explaining = [o for o in calendar.overrides if o.explains(day, calendar.kind(day), name)]
            if explaining:
                explaining[0].used = True
                count.explained += 1
            else:
                unexplained.append(f"{calendar.spec.name} {day} is {calendar.kind(day)}, and {said} by {name}")
    return unexplained


def not_kept(calendar: Calendar) -> list[str]:
    """A line for each date that an override keeps as something it isn't."""
    return [
        f"{calendar.spec.name} {day} is {calendar.kind(day)}, so this keeps nothing: {o.line}"
        for o in calendar.overrides
        for day in o.named
        if o.keeps()
        and calendar.first <= day <= calendar.last
        and o.verdict.partition(":")[0] not in ("keep", f"keep {calendar.kind(day)}")
    ]


# --- All calendars ---


@dataclass
class Result:
    """A calendar's file, its comparison, the numbers of the overrides that explain something, and its last day."""

    name: str
    text: str
    unexplained: list[str]
    count: Count
    used: set[int]
    last: Date


def build(spec: Spec) -> Result:
    lines, count = overrides(), Count()
    calendar = Calendar(spec, lines, profiles().get(spec.profile, {}))
    unexplained = compare(calendar, spec.peers, count) + not_kept(calendar)
    known = calendar.known_hours() or (calendar.first, calendar.last)
    return Result(spec.name, calendar.text(), unexplained, count, {i for i, o in enumerate(lines) if o.used}, known[1])


def generate() -> tuple[dict[str, str], list[str], list[str]]:
    """The files by name, what is wrong, and what a person should know."""
    all_specs, lines = specs(), overrides()  # read before the pool's processes are forked, and so only once
    known = {*profiles(), "", "library", "continuous"}
    wrong = [
        f"calendar {s.name} has hours {s.profile}, which hours.csv lacks" for s in all_specs if s.profile not in known
    ]
    wrong += [
        f"override of no calendar: {o.line}" for o in lines if not set(o.calendars) <= {s.name for s in all_specs}
    ]
    if wrong:
        raise Mistake("\n".join(wrong))
    with ProcessPoolExecutor() as pool:  # the libraries need half a minute of CPU
        results = list(pool.map(build, all_specs))
    wrong = [line for r in results for line in r.unexplained]
    used = set().union(*(r.used for r in results))
    wrong += [f"override explains nothing: {o.line}" for i, o in enumerate(lines) if i not in used]
    files = {f"calendars/{r.name}.txt": r.text for r in results}
    files["versions.csv"] = "library,version\n" + "".join(
        f"{name},{version}\n" for name, version in libraries.versions()
    )
    notes = [f"warning: {r.name} ends on {r.last}" for r in results if r.last - datetime.date.today() < WARN]
    compared, differences, explained = (
        sum(getattr(r.count, n) for r in results) for n in ("compared", "differences", "explained")
    )
    notes.append(
        f"{len(results)} calendars, {compared} days compared, {differences} differences, {explained} explained, "
        f"{differences - explained} unexplained"
    )
    return files, wrong, notes


def segments(mics: Path) -> tuple[str, list[str]]:
    """segments.csv from the ISO 10383 list, and where venues.csv differs from that list."""
    listed = {row["MIC"]: row for row in csv.DictReader(mics.read_text(encoding="utf-8-sig").splitlines())}
    venues = {row["mic"]: row for row in read_csv(DATA / "venues.csv")}
    wrong = []
    for mic, venue in venues.items():
        row = listed.get(mic)
        if row and (venue["operating"], venue["country"]) != (row["OPERATING MIC"], row["ISO COUNTRY CODE (ISO 3166)"]):
            wrong.append(
                f"venues.csv: {mic} is {row['OPERATING MIC']}, {row['ISO COUNTRY CODE (ISO 3166)']} by ISO 10383"
            )
    rows = sorted(
        (mic, row["OPERATING MIC"])
        for mic, row in listed.items()
        if mic not in venues and row["OPERATING MIC"] in venues
    )
    return "mic,operating\n" + "".join(f"{mic},{operating}\n" for mic, operating in rows), wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the files in place instead of writing them")
    parser.add_argument("--mics", type=Path, help="the ISO 10383 list as CSV, to write segments.csv anew")
    options = parser.parse_args()
    try:
        files, wrong, notes = generate()
    except Mistake as mistake:
        print(mistake)
        return 1
    if options.mics:
        files["segments.csv"], more = segments(options.mics)
        wrong += more
    if options.check:
        wrong += [
            f"{name} isn't what the libraries give: run make calendars"
            for name, text in files.items()
            if not (DATA / name).exists() or (DATA / name).read_text() != text
        ]
    stale = [path for path in (DATA / "calendars").glob("*.txt") if f"calendars/{path.name}" not in files]
    if options.check:
        wrong += [f"{path.name} is no calendar of calendars.csv" for path in stale]
    elif not wrong:
        for path in stale:
            path.unlink()
        for name, text in files.items():
            (DATA / name).write_text(text)
    print(*wrong, *notes, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
