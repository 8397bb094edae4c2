import os
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from runtime import CURRENCIES, Parameters, serve, table, time_of, trade_of

SOURCES = os.environ["SOURCES"].split(",")
ALLOWED = os.environ.get("ALLOWED_CURRENCIES", "").split(",")
SHARES = {row["mic"] for row in table("market/data/venues.csv") if row["settlement"] == "US"}
SKEW = timedelta(minutes=5)
parameters = Parameters()


def luhn(isin):
    digits = "".join(str(int(c, 36)) for c in isin)[::-1]
    return sum(sum(divmod(int(d) << i % 2, 10)) for i, d in enumerate(digits)) % 10 == 0


def validate(payload):
    event, trade, violations, numbers = payload["event"], trade_of(payload), [], {}

    def violate(field, code, message):
        prefix = re.sub("([A-Z])", r"_\1", field).upper()
        violations.append({"code": f"{prefix}_{code}", "field": field, "message": f"{field} {message}"})

    def text(field, wrong, good, code="INVALID"):
        value = trade.get(field)
        if value is None:
            return False
        if not isinstance(value, str):
            violate(field, "WRONG_TYPE", "must be a string")
        elif not good(value):
            violate(field, code, f'"{value}" {wrong}')
        else:
            return True

    def number(field, required=False):
        value = trade.get(field)
        if value is None:
            if required:
                violate(field, "MISSING", "is missing")
            return
        try:
            n = Decimal(str(value))
        except InvalidOperation:
            return violate(field, "NOT_DECIMAL", f'"{value}" is not a decimal')
        if len(n.as_tuple().digits) > 38:
            violate(field, "TOO_MANY_DIGITS", f'"{value}" has more than 38 digits')
        elif n <= 0:
            violate(field, "ZERO" if n == 0 else "NEGATIVE", f'"{value}" must be above zero')
        numbers[field] = n

    now, arrived = datetime.now(timezone.utc), time_of(event["time"])
    day = arrived
    try:
        day = executed = time_of(trade["executedAt"])
    except (KeyError, TypeError, ValueError):
        executed = None

    def in_use(code):
        known = CURRENCIES.get(code)
        return code in ALLOWED or known and known["since"] <= day.date().isoformat() <= (known["until"] or "9999")

    number("amount", required=True)
    if trade.get("currency") is None:
        violate("currency", "MISSING", "is missing")
    text("currency", "is not in use", in_use, "UNKNOWN")
    if trade.get("sourceSystem") is None:
        violate("sourceSystem", "MISSING", "is missing")
    text("sourceSystem", "is not a source", SOURCES.__contains__, "UNKNOWN")
    text("sourceSystem", "isn't the event's", lambda s: event["source"] == "trading." + s, "MISMATCH")
    if text("executedAt", "is not RFC 3339", lambda _: executed) and executed > min(now, arrived) + SKEW:
        violate("executedAt", "IN_FUTURE", "is in the future")
    text("symbol", "is not printable", lambda s: 0 < len(s) <= 64 and s.isprintable() and s == s.strip())
    text("venue", "is not a MIC", re.compile("[A-Z0-9]{4}").fullmatch)
    if text("isin", "is not an ISIN", re.compile("[A-Z]{2}[A-Z0-9]{9}[0-9]").fullmatch):
        text("isin", "has a wrong check digit", luhn, "CHECK_DIGIT")
    number("price")
    number("quantity")
    unchecked = "" if {"price", "quantity"} <= trade.keys() else "NO_PRICE"
    if not unchecked:
        if not {"amount", "price", "quantity"} <= numbers.keys():
            unchecked = "UNREADABLE"
        elif trade.get("venue") not in SHARES or trade.get("currency") != "USD":
            unchecked = "INSTRUMENT_UNKNOWN"
        else:
            off = abs(numbers["amount"] - numbers["price"] * numbers["quantity"])
            if off > Decimal("0.01") and off > numbers["amount"] / 10000:
                violate("amount", "MISMATCH", "differs from price times quantity")
    text("side", "is not a side", {"BUY", "SELL", "SELL_SHORT", "SELL_SHORT_EXEMPT"}.__contains__)
    if text("counterpartyLei", "is not an LEI", re.compile("[A-Z0-9]{18}[0-9]{2}").fullmatch):
        mod97 = lambda lei: int("".join(str(int(c, 36)) for c in lei)) % 97 == 1
        text("counterpartyLei", "has wrong check digits", mod97, "CHECK_DIGITS")
    text("account", "is not printable", lambda s: 0 < len(s) <= 64 and s.isprintable() and s == s.strip())

    verdict = {"valid": not violations, "violations": violations, "rulesVersion": "2.0.0"}
    verdict["reviewRequired"] = not violations and numbers["amount"] > Decimal(parameters["processing-threshold"])
    verdict["amountChecked"] = not unchecked
    return verdict | ({"amountUncheckedReason": unchecked} if unchecked else {})


serve(validate)
