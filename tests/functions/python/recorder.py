import hashlib
import json
import os
from datetime import datetime, timezone

import boto3
from boto3.dynamodb.types import TypeSerializer

from runtime import serve, time_of, trade_of

dynamodb = boto3.client("dynamodb")
attribute = TypeSerializer().serialize


def stamp(moment):
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(payload):
    event, verdict, market, trade = payload["event"], payload["validation"], payload["market"], trade_of(payload)
    canonical = json.dumps(trade, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    at = time_of(trade.get("executedAt") or event["time"])
    now = datetime.now(timezone.utc)
    item = {
        "tradeId": trade["tradeId"], "version": event["source"].removeprefix("trading.") + "#" + stamp(at),
        "timestamp": int(at.timestamp() * 1000), "action": "NEW", "status": "RECORDED",
        "sourceSystem": trade["sourceSystem"], "sourceShard": f"{trade['sourceSystem']}#{int(digest[:2], 16) % 64}",
        "trade": canonical, "digest": digest, "rulesVersion": verdict["rulesVersion"],
        "market": {name: value for name, value in market.items() if value != []},
        "eventId": event["id"], "eventTime": event["time"], "eventAccount": event["account"],
        "execution": payload["executionArn"].rsplit(":", 1)[1], "recordedAt": stamp(now),
    }
    item |= {name: trade[name] for name in ("amount", "currency", "symbol", "venue") if name in trade}
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE_NAME"], Item={name: attribute(value) for name, value in item.items()},
            ConditionExpression="attribute_not_exists(tradeId)", ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as taken:
        if taken.response["Item"]["digest"]["S"] != digest:
            raise
        return {"outcome": "DUPLICATE"}
    latency = (now - time_of(event["time"])).total_seconds() * 1000
    metrics = [{"Name": "TradesRecorded", "Unit": "Count"}, {"Name": "EndToEndLatency", "Unit": "Milliseconds"}]
    print(json.dumps({
        "level": "INFO", "tradeId": trade["tradeId"], "eventId": event["id"], "executionArn": payload["executionArn"],
        "TradesRecorded": 1, "EndToEndLatency": latency, "_aws": {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [
            {"Namespace": "TradeProcessing", "Dimensions": [["Environment"]], "Metrics": metrics}]},
    }), flush=True)
    told = ("status", "tradeId", "version", "timestamp", "action", "digest", "recordedAt")
    return {"outcome": "RECORDED"} | {name: item[name] for name in told}


serve(record)
