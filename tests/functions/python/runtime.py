"""The Lambda Runtime API, and what the three functions share."""

import csv
import http.client
import json
import os
import re
import time
from datetime import datetime
from pathlib import Path

import boto3

DATA = Path(os.environ["DATA"])  # the folder lambdas/, whose reference data the Go functions embed


class MalformedTrade(Exception):
    pass


def trade_of(payload):
    trade = payload["event"]["detail"]
    if not isinstance(trade, dict) or not isinstance(trade.get("tradeId"), str):
        raise MalformedTrade("the detail has no tradeId")
    return trade


RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def time_of(text):
    """Returns an RFC 3339 time, or raises ValueError."""
    if not RFC3339.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def table(name):
    with open(DATA / name) as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


# The file has what differs from the usual: in use until now, with two decimals.
CURRENCIES = {code: {"since": "", "until": "", "minorUnit": "2"} for code in "AUD CAD CHF CNY EUR GBP HKD INR NZD SEK SGD USD ZAR".split()}
CURRENCIES |= {row["code"]: row for row in table("trade/currencies.csv")}


class Parameters:
    """The stack's parameters, read once a minute."""

    def __init__(self):
        self.client, self.values, self.until = boto3.client("ssm"), {}, 0

    def __getitem__(self, name):
        if time.monotonic() > self.until:
            prefix = os.environ["PARAMETER_PREFIX"]
            answer = self.client.get_parameters_by_path(Path=prefix, WithDecryption=True)
            self.values = {p["Name"].removeprefix(prefix): p["Value"] for p in answer["Parameters"]}
            self.until = time.monotonic() + 60
        return self.values[name]


def serve(handle):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(method, path, body=None):
        api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
        answer = api.getresponse()
        return answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()

    while True:
        call, payload = ask("GET", "next")
        try:
            path, answer = "response", handle(json.loads(payload))
        except Exception as error:
            path, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        ask("POST", f"{call}/{path}", json.dumps(answer))
