#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""records.py [--held=ANSWER] LOG PATTERN [KEY=VALUE...] - print the words of a log's records

Of those whose word begins with PATTERN, and whose content holds all the members given. KEY may name
a member of "annotations" too; PATTERN and VALUE are regular expressions.
With --held only those that an NvPCR had been extended by: ANSWER is what a TPM said to NV_Read at
some moment. It is an error if the value is none that the log leads to.
"""

import hashlib
import json
import re
import sys


def holds(content, condition):
    key, _, value = condition.partition("=")
    member = {**content.get("annotations", {}), **content}.get(key)
    return re.fullmatch(value, str(member)) is not None


def held(all_records, answer):
    """The records that stand behind the value in an answer: header, size, size, 32 octets."""
    wanted = answer[16:48]
    value = bytes(32)
    for number, record in enumerate(all_records, 1):
        if "nv_index" not in record:
            continue
        digest = hashlib.sha256(record["content"]["string"].encode()).digest()
        value = hashlib.sha256(value + digest).digest()
        if value == wanted:
            return all_records[:number]
    return sys.exit(f"no record led to {wanted.hex()}")


arguments = sys.argv[1:]
moment = arguments.pop(0).partition("=")[2] if arguments[0].startswith("--held=") else None
path, pattern, *conditions = arguments
with open(path, encoding="utf-8") as file:
    records = [json.loads(part) for part in file.read().split("\x1e")[1:]]
if moment:
    with open(moment, "rb") as file:
        records = held(records, file.read())
for record in records:
    content = record["content"]
    if re.match(pattern, content["string"]) and all(holds(content, c) for c in conditions):
        print(content["string"])
