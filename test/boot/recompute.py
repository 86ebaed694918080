#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""recompute.py DIR - does the TPM hold just what the guest's measurement log says?

DIR is what a guest delivered: measure.log, and what tpm2-tools read from its TPM. Everything is
computed here from the log's words and the TCG's formulas; no code of veritally is used.
Prints one line for each thing found wrong, or a summary. Exit status 0 only if all agree.
"""

import hashlib
import json
import re
import struct
import sys
from pathlib import Path

SHA256 = 0x000B
# POLICYWRITE, EXTEND, OWNERREAD, AUTHREAD, NO_DA, CLEAR_STCLEAR; ORDERLY; WRITTEN
ATTRIBUTES, ORDERLY, WRITTEN = 0x0A060048, 0x04000000, 0x20000000
CC_POLICY_OR, CC_POLICY_PCR, CC_POLICY_NV_WRITTEN = 0x171, 0x17F, 0x18F

wrong = []


def expect(what, found, expected):
    """Note a difference."""
    if found != expected:
        wrong.append(f"{what}: found {found}, expected {expected}")


def sha256(data):
    return hashlib.sha256(data).digest()


def policy(gate, value):
    """authPolicy = PolicyOR(PolicyPCR(gate == value), PolicyNvWritten(YES))."""
    zero = bytes(32)
    bitmap = (1 << gate).to_bytes(3, "little")
    selection = struct.pack(">IHB", 1, SHA256, 3) + bitmap
    genesis = sha256(zero + struct.pack(">I", CC_POLICY_PCR) + selection + sha256(value))
    append = sha256(zero + struct.pack(">IB", CC_POLICY_NV_WRITTEN, 1))
    return sha256(zero + struct.pack(">I", CC_POLICY_OR) + genesis + append)


def name(handle, attributes, auth_policy):
    """An NV index's Name: nameAlg and the digest of its public area."""
    public = struct.pack(">IHIH", handle, SHA256, attributes, 32) + auth_policy + b"\0\x20"
    return struct.pack(">H", SHA256) + sha256(public)


def read_log(path):
    """The records of a log in RFC 7464 framing."""
    data = path.read_bytes()
    assert data[:1] == b"\x1e" and data[-1:] == b"\n", "broken framing"
    return [json.loads(part) for part in data[1:].split(b"\x1e")]


def extended(value, record, algorithm):
    """value after the record's word was extended into it."""
    word = record["content"]["string"].encode()
    digest = hashlib.new(algorithm, word).digest()
    for logged in record["digests"]:
        if logged["hashAlg"] == algorithm:
            expect(f"digest of record {record['recnum']}", logged["digest"], digest.hex())
    return hashlib.new(algorithm, value + digest).digest()


def check_anchor(record, before, values):
    """The anchor names the index by a Name that follows from the gate PCR's value."""
    word = record["content"]["string"]
    fields = re.fullmatch(r"nvpcr-anchor:v1:1:0x([0-9a-f]{8}):([0-9a-f]+):([0-9a-f]+)", word)
    if not fields:
        wrong.append(f"unexpected anchor: {word}")
        return None, None
    handle = int(fields[1], 16)
    auth_policy = policy(record["pcr"], before)
    names = [name(handle, ATTRIBUTES | WRITTEN | orderly, auth_policy).hex()
             for orderly in (0, ORDERLY)]
    if fields[2] not in names:
        wrong.append(f"anchored Name {fields[2]} is none of {names}")
    expect("anchored value", fields[3], values.get(handle, b"").hex())
    return handle, fields[2]


def banks(text):
    """{algorithm: {pcr: value}} of tpm2_pcrread's output."""
    found = {}
    for line in text.splitlines():
        if bank := re.match(r"\s+(\w+):\s*$", line):
            algorithm = bank[1]
        elif row := re.match(r"\s+(\d+)\s*:\s*0x([0-9A-Fa-f]+)", line):
            found.setdefault(algorithm, {})[int(row[1])] = row[2].lower()
    return found


def main(directory):
    records = read_log(directory / "measure.log")
    tpm = banks((directory / "pcr.out").read_text())
    values = {}
    pcrs = {algorithm: {} for algorithm in tpm}
    anchors = []
    for number, record in enumerate(records):
        expect("recnum", record["recnum"] - records[0]["recnum"], number)
        if "nv_index" in record:
            handle = record["nv_index"]
            values[handle] = extended(values.get(handle, bytes(32)), record, "sha256")
            continue
        gate = record["pcr"]
        if record["content"]["string"].startswith("nvpcr-anchor:"):
            before = pcrs["sha256"].get(gate, bytes(32))
            anchors.append((gate, *check_anchor(record, before, values)))
        for algorithm, bank in pcrs.items():
            size = hashlib.new(algorithm).digest_size
            bank[gate] = extended(bank.get(gate, bytes(size)), record, algorithm)

    expect("number of anchors", len(anchors), 1)
    gate, handle, anchored_name = anchors[0]
    expect("NvPCRs in the log", list(values), [handle])
    expect("NV value", (directory / "nv.out").read_bytes().hex(), values[handle].hex())
    public = (directory / "nvpublic.out").read_text()
    expect("Name", re.search(r"name: ([0-9a-f]+)", public)[1], anchored_name)
    for algorithm, bank in pcrs.items():
        expect(f"PCR {gate} ({algorithm})", tpm[algorithm][gate], bank[gate].hex())
    if not wrong:
        print(f"{len(records)} records, NV value {values[handle].hex()}, "
              f"PCR {gate} in {len(pcrs)} banks, Name {anchored_name}")


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(Path(sys.argv[1]))
for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
