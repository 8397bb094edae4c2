from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from runtime import CURRENCIES, DATA, Parameters, serve, table, time_of, trade_of

VENUES = {row["mic"]: row for row in table("market/data/venues.csv")}
SETTLEMENT = table("market/data/settlement.csv")
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
parameters = Parameters()


@cache
def calendar(name):
    zone, week, days = None, [], {}
    for line in (DATA / f"market/data/calendars/{name}.txt").read_text().splitlines():
        kind, *words = line.split()
        if kind == "zone":
            zone = ZoneInfo(words[0])
        elif kind == "week":
            first, _, last = words[1].partition("-")
            week.append((words[0], range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1), words[2:]))
        elif kind == "day":
            days.update(dict.fromkeys(words[0].split(","), words[1:]))
    return zone, week, days


def hours(name, day):
    _, week, days = calendar(name)
    usual = [hours for since, open, hours in week if since <= day.isoformat() and day.weekday() in open]
    found = days.get(day.isoformat()) or (usual[-1] if usual else ["closed"])
    return [] if found == ["closed"] else found


def enrich(payload):
    trade, reasons = trade_of(payload), []
    context = {"status": "COMPLETE", "reasons": reasons}
    venue = VENUES.get(trade.get("venue"))
    if not venue:
        reasons.append("VENUE_UNKNOWN" if trade.get("venue") else "VENUE_MISSING")
    else:
        zone = calendar(venue["calendar"])[0]
        context["venue"] = {"name": venue["name"], "country": venue["country"], "timeZone": zone.key}
        at = time_of(trade.get("executedAt") or payload["event"]["time"]).astimezone(zone)
        day, clock = at.date(), at.strftime("%H:%M")
        today = hours(venue["calendar"], day)
        begun = [name for start, name in zip(today[::2], today[1::2]) if start <= clock]
        context["session"] = begun[-1] if begun and clock < today[-1] else "CLOSED"
        while not hours(venue["calendar"], day) or day == at.date() and clock >= today[-1]:
            day += timedelta(1)
        context["tradingDay"] = day.isoformat()
        rule = [r for r in SETTLEMENT if r["rule"] == venue["settlement"] and r["from"] <= day.isoformat()][-1]
        for _ in range(int(rule["days"])):
            day += timedelta(1)
            while not hours(rule["calendar"], day):
                day += timedelta(1)
        context |= {"settlementDate": day.isoformat(), "settlementCycle": "T+" + rule["days"]}
    if currency := CURRENCIES.get(trade.get("currency")):
        context["minorUnit"] = int(currency["minorUnit"] or 2)
    if isin := trade.get("isin"):
        context["isinCountry"] = isin[:2]
    assert parameters["api-endpoint"] == "none"  # an API would be asked here
    if reasons:
        context["status"] = "PARTIAL"
    return context


serve(enrich)
