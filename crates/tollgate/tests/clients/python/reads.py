"""What json.loads makes of each body in a file, beside what the gateway judged: see tests/it/differential.rs.

Takes {"file"} on standard input; each line of the file is a body in base64, a space, and a reading or "-".
"""

import base64
import json
import math
import sys
from decimal import Decimal


def same(judged, parsed):
    """Whether a judged value, tagged so that every parser reads it alike, is the one that was parsed."""
    if isinstance(judged, list):
        return isinstance(parsed, list) and len(judged) == len(parsed) and all(map(same, judged, parsed))
    if not isinstance(judged, dict):
        return type(judged) is type(parsed) and judged == parsed
    if "n" in judged:
        if type(parsed) is int:
            return Decimal(judged["n"]) == parsed
        return type(parsed) is float and math.isfinite(parsed) and float(judged["n"]) == parsed
    return (
        isinstance(parsed, dict)
        and len(parsed) == len(judged["o"])
        and all(key in parsed and same(value, parsed[key]) for key, value in judged["o"])
    )


def agrees(judged, message):
    if not isinstance(message, dict) or message.get("method") != judged.get("method"):
        return False
    if not same(judged["id"], message.get("id")) if "id" in judged else "id" in message:
        return False
    if judged.get("method") != "tools/call":
        return True
    params = message["params"]
    return params["name"] == judged["name"] and same(judged["arguments"], params.get("arguments"))


def parse(body):
    try:
        return True, json.loads(body)
    except (ValueError, RecursionError):
        return False, None


report = {"bodies": 0, "readable": 0, "different": 0, "examples": []}
with open(json.load(sys.stdin)["file"], encoding="utf-8", newline="\n") as lines:
    for line in lines:
        body, _, reading = line.rstrip("\n").partition(" ")
        body = base64.b64decode(body)
        readable, message = parse(body)
        report["bodies"] += 1
        report["readable"] += readable
        if reading != "-" and not (readable and agrees(json.loads(reading), message)):
            report["different"] += 1
            if len(report["examples"]) < 5:
                report["examples"].append(repr(body))
print(json.dumps(report))
