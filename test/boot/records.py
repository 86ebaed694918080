#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""records.py LOG PATTERN [KEY=VALUE...] - print the words of a measurement log's records

Of those whose word begins with PATTERN, and whose content holds all the members given. KEY may name
a member of "annotations" too; PATTERN and VALUE are regular expressions.
"""

import json
import re
import sys


def holds(content, condition):
    key, _, value = condition.partition("=")
    member = {**content.get("annotations", {}), **content}.get(key)
    return re.fullmatch(value, str(member)) is not None


path, pattern, *conditions = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    records = [json.loads(part) for part in file.read().split("\x1e")[1:]]
for record in records:
    content = record["content"]
    if re.match(pattern, content["string"]) and all(holds(content, c) for c in conditions):
        print(content["string"])
