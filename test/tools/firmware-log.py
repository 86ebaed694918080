#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""firmware-log.py PCR FILE - write a firmware's event log in which PCR is extended by FILE

The digests are those that `tpm2_pcrevent PCR FILE` extends.
"""
import hashlib
import struct
import sys

ALGORITHMS = {0x0004: "sha1", 0x000B: "sha256", 0x000C: "sha384", 0x000D: "sha512"}


def header():
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBB", 0, 0, 2, 0, 2)
    spec += struct.pack("<I", len(ALGORITHMS))
    for number, name in ALGORITHMS.items():
        spec += struct.pack("<HH", number, hashlib.new(name).digest_size)
    spec += b"\0"
    return struct.pack("<II20sI", 0, 3, bytes(20), len(spec)) + spec


def event(pcr, kind, data):
    text = struct.pack("<III", pcr, kind, len(ALGORITHMS))
    for number, name in ALGORITHMS.items():
        text += struct.pack("<H", number) + hashlib.new(name, data).digest()
    return text + struct.pack("<I", len(data)) + data


with open(sys.argv[2], "rb") as f:
    content = f.read()
sys.stdout.buffer.write(header() + event(0, 8, b"version") + event(int(sys.argv[1]), 13, content))
