#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd-log.py check|append FILE [STRING] - systemd's measurement log

  check    print what is wrong by the rules of those who read this file, the first fault
           only; or a line "INDEX EVENTTYPE STRING" for each record if all is good
  append   do as a writer of systemd's: lock, mark, append a record of PCR 9, unmark

Whoever reads that file gives up at the first record that cannot be parsed, so check is
as strict. Written from the protocol; shares no code with the product.
"""
import fcntl
import hashlib
import json
import os
import stat
import sys

TYPES = {
    "phase", "filesystem", "volume-key", "machine-id", "product-id", "keyslot", "nvpcr-init",
    "nvpcr-separator", "dm-verity", "imds-userdata", "os-separator", "login",
}


def is_unsigned(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32


def fault_of(record):
    """What a reader of the file would stumble over."""
    if not isinstance(record, dict) or ("pcr" in record) == ("nv_index" in record):
        return "not exactly one of pcr and nv_index"
    if not is_unsigned(record.get("pcr", record.get("nv_index"))):
        return "an index that is none"
    if record.get("pcr", 0) > 23:
        return "a PCR that is none"
    content = record.get("content")
    if record.get("content_type") != "systemd" or not isinstance(content, dict):
        return "no content of systemd's kind"
    string = content.get("string")
    if not isinstance(string, str) or content.get("eventType") not in TYPES:
        return "no string, or no known eventType"
    if not record.get("digests"):
        return "no digests"
    for digest in record["digests"]:
        wanted = hashlib.new(digest["hashAlg"], string.encode()).hexdigest()
        if digest["digest"] != wanted:
            return "a digest that is not that of the string"
    return None


def check(path):
    with open(path, "rb") as f:
        data = f.read()
    if b"\0" in data:
        return ["a NUL"]
    if data and not data.startswith(b"\x1e"):
        return ["something before the first record"]
    lines = []
    for piece in data.split(b"\x1e")[1:]:
        if not piece.endswith(b"}\n") or piece.count(b"\n") != 1:
            return [f"a piece that is no record: {piece[:80]}"]
        try:
            record = json.loads(piece)
        except ValueError:
            return [f"no JSON: {piece[:80]}"]
        fault = fault_of(record)
        if fault:
            return [f"{fault}: {piece[:80]}"]
        content = record["content"]
        lines.append(f"{record.get('pcr', record.get('nv_index'))} {content['eventType']} "
                     f"{content['string']}")
    return lines


def append(path, string):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    clean = not os.fstat(fd).st_mode & stat.S_ISVTX
    if clean:
        os.fchmod(fd, 0o1600)
    digest = hashlib.sha256(string.encode()).hexdigest()
    record = {
        "pcr": 9, "digests": [{"hashAlg": "sha256", "digest": digest}],
        "content_type": "systemd",
        "content": {"string": string, "bootId": "0" * 32, "timestamp": 1,
                    "eventType": "nvpcr-separator"},
    }
    os.write(fd, b"\x1e" + json.dumps(record, separators=(",", ":")).encode() + b"\n")
    if clean:
        os.fchmod(fd, 0o600)
    os.close(fd)


def main(what, path, *args):
    if what == "check":
        print("\n".join(check(path)))
    elif what == "append":
        append(path, args[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
