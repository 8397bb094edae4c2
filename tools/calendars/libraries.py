"""What the four libraries say about a market's days, in one form: which days are open, and at what times."""

import datetime
import functools
import importlib.metadata
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import exchange_calendars
import holidays
import pandas
import pandas_market_calendars
import QuantLib
from exchange_calendars.calendar_utils import global_calendar_dispatcher

Date = datetime.date
Times = tuple[int, ...]  # minutes from the day's midnight: open, close, or open, break, resume, close

# Both warn of dates that pandas can't vectorize, by the hundred.
warnings.simplefilter("ignore")


def days(first: Date, last: Date) -> Iterator[Date]:
    while first <= last:
        yield first
        first += datetime.timedelta(days=1)


@dataclass
class View:
    """What one library says about a calendar from first to last."""

    first: Date
    last: Date
    open: set[Date]
    zone: str = ""
    times: dict[Date, Times] = field(default_factory=dict)
    usual: dict[Date, Times] = field(default_factory=dict)  # what the times would be on an ordinary day
    short: set[Date] | None = None  # open days that aren't ordinary; None if the library doesn't say

    def kind(self, day: Date) -> str:
        if day not in self.open:
            return "closed"
        return "short" if self.short and day in self.short else "open"


def versions() -> list[tuple[str, str]]:
    return [
        (name, importlib.metadata.version(name))
        for name in ("exchange_calendars", "holidays", "pandas_market_calendars", "QuantLib")
    ]


@functools.cache
def load(library: str, name: str, first: Date, last: Date) -> View:
    """The view of a library: exchange_calendars (xc), pandas_market_calendars (pm), holidays by exchange or by country,
    QuantLib (ql); or days for settlement: clearing, on which nothing trades, restricted, all others than the trading days
    without settlement, and sundays, on which a market clears its Fridays."""
    return {
        "xc": _exchange_calendars,
        "pm": _pandas_market_calendars,
        "holidays": _exchange_holidays,
        "country": _country_holidays,
        "ql": _quantlib,
        "clearing": _clearing,
        "restricted": _restricted,
        "sundays": _sundays,
    }[library](name, first, last)


def _exchange_calendars(name: str, first: Date, last: Date) -> View:
    bounds = global_calendar_dispatcher._calendar_factories[name]
    first = max(first, (bounds.bound_min() or pandas.Timestamp(first)).date())
    last = min(last, (bounds.bound_max() or pandas.Timestamp(last)).date())
    calendar = exchange_calendars.get_calendar(name, start=first.isoformat(), end=last.isoformat())
    view = View(first, last, set(), str(calendar.tz))
    columns = [calendar.schedule[c].dt.tz_convert(calendar.tz) for c in ("open", "break_start", "break_end", "close")]
    for session, *moments in zip(calendar.schedule.index, *columns):
        day = session.date()
        view.open.add(day)
        view.times[day] = tuple(_minutes(m, day) for m in moments if not pandas.isna(m))
    regular = [calendar.open_times, calendar.break_start_times, calendar.break_end_times, calendar.close_times]
    if any(len(times or ()) > 1 for times in regular):
        offsets = [calendar.open_offset * 1440, 0, 0, calendar.close_offset * 1440]
        for day in view.open:
            clocks = [(_in_force(times, day), offset) for times, offset in zip(regular, offsets) if times]
            view.usual[day] = tuple(clock.hour * 60 + clock.minute + offset for clock, offset in clocks if clock)
    _find_short(view)
    return view


def _pandas_market_calendars(name: str, first: Date, last: Date) -> View:
    calendar = pandas_market_calendars.get_calendar(name)
    schedule = calendar.schedule(first.isoformat(), last.isoformat(), tz=calendar.tz)
    view = View(first, last, set(), str(calendar.tz))
    for session, opens, closes in zip(schedule.index, schedule["market_open"], schedule["market_close"]):
        day = session.date()
        view.open.add(day)
        view.times[day] = (_minutes(opens, day), _minutes(closes, day))
    _find_short(view)
    return view


def _exchange_holidays(name: str, first: Date, last: Date) -> View:
    return _holidays(holidays.financial_holidays, name, first, last)


def _country_holidays(name: str, first: Date, last: Date) -> View:
    """A country's public holidays, and its banks'."""
    return _holidays(holidays.country_holidays, name, first, last, ("bank",))


def _holidays(make, name: str, first: Date, last: Date, also: tuple[str, ...] = ()) -> View:
    supported = make(name).supported_categories
    categories = ("public", *(c for c in also if c in supported))
    first = max(first, Date(make(name).start_year, 1, 1))
    years = range(first.year, last.year + 1)
    closed = make(name, years=years, categories=categories)
    # Exchanges stay closed on Saturdays that offices work to make up for another day.
    open_days = {d for d in days(first, last) if d not in closed and not closed._is_weekend(d)}
    short = open_days & set(make(name, years=years, categories=("half_day",))) if "half_day" in supported else None
    return View(first, last, open_days, short=short)


def _quantlib(name: str, first: Date, last: Date) -> View:
    country, _, market = name.partition(".")
    factory = getattr(QuantLib, country)
    calendar = factory(getattr(factory, market)) if market else factory()

    def is_open(day: Date) -> bool:
        return calendar.isBusinessDay(QuantLib.Date(day.day, day.month, day.year))

    try:
        is_open(first)
    except RuntimeError:  # a year that this calendar doesn't have
        return _quantlib(name, Date(first.year + 1, 1, 1), last)
    return View(first, last, {d for d in days(first, last) if is_open(d)})


def _clearing(name: str, first: Date, last: Date) -> View:
    """Days named as open for clearing and settlement only."""
    closed = holidays.financial_holidays(name, years=range(first.year, last.year + 1), language="en_US")
    return View(first, last, {d for d, label in closed.items() if "only for Clearing & Settlement" in label})


def _restricted(name: str, first: Date, last: Date) -> View:
    closed = holidays.financial_holidays(
        name, years=range(first.year, last.year + 1), categories=("restricted_settlement",)
    )
    return View(first, last, set(days(first, last)) - set(closed))


def _sundays(name: str, first: Date, last: Date) -> View:
    """Sundays after an open Friday, for a market that trades from Monday to Friday and clears when banks are open."""
    fridays = {d for d in load("xc", name, first, last).open if d.weekday() == 4}
    return View(first, last, {d + datetime.timedelta(days=2) for d in fridays})


def _minutes(moment: pandas.Timestamp, day: Date) -> int:
    return (moment.date() - day).days * 1440 + moment.hour * 60 + moment.minute


def _in_force(times, day: Date) -> datetime.time | None:
    """The last of (from, time) entries that has begun."""
    return [time for since, time in times if since is None or since.date() <= day][-1]


def _find_short(view: View) -> None:
    """Marks the days whose times aren't their weekday's usual ones of that year, or those that the library gave."""
    if not view.usual:
        counts: dict[tuple[int, int], Counter[Times]] = {}
        for day, times in view.times.items():
            counts.setdefault((day.year, day.weekday()), Counter())[times] += 1
        usual = {key: counter.most_common(1)[0][0] for key, counter in counts.items()}
        view.usual = {day: usual[day.year, day.weekday()] for day in view.times}
    view.short = {d for d, times in view.times.items() if times[0] > view.usual[d][0] or times[-1] < view.usual[d][-1]}
