#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ima.py LIST LOG - is every dm-verity activation that IMA measured in the measurement log?

LIST is IMA's ascii_runtime_measurements of a kernel with ima_policy=critical_data. Of each resume
it has the digest of the table that became live, and of each table that was loaded what it says.
Prints what IMA knows; exit status 0 if the log has it all, and there is something.
"""

import hashlib
import json
import re
import sys


def fields(text):
    """All KEY=VALUE of an IMA buffer."""
    return dict(re.findall(r"([a-z_]+)=([^,;]*)", text))


def activations(path):
    """(name, root hash, salt) of each verity device that was resumed."""
    tables = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[4] not in ("dm_table_load", "dm_device_resume"):
                continue
            buffer = bytes.fromhex(words[5])
            entry = fields(buffer.decode())
            if words[4] == "dm_table_load":
                tables["sha256:" + hashlib.sha256(buffer).hexdigest()] = entry
                continue
            table = tables[entry["active_table_hash"]]
            if table["target_name"] == "verity":
                yield entry["name"], table["root_digest"], table["salt"]


def logged(path):
    """The same of each activation in the log; the name is a claim there."""
    with open(path, encoding="utf-8") as file:
        for part in file.read().split("\x1e")[1:]:
            content = json.loads(part)["content"]
            words = content["string"].split(":")
            if words[0] == "dm-verity" and len(words) > 5:
                yield content["annotations"]["dmName"], words[4], words[5]


seen = list(activations(sys.argv[1]))
ours = set(logged(sys.argv[2]))
for activation in seen:
    print("missing:" if activation not in ours else "there:", *activation)
sys.exit(not seen or not ours.issuperset(seen))
