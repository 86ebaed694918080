#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""edit-log.py LOG WHAT ARGUMENT... - alter a log as somebody might who has no TPM to ask

  replace N OLD NEW    a text in record N, once
  drop N               record N
  swap N M             records N and M
  again N              record N comes twice
  elsewhere N MEMBER INDEX [ALGORITHM]
                       record N comes twice, the second time for another INDEX of what
                       MEMBER says (pcr or nv_index), and in the bank ALGORITHM only
  reword N WORD        record N has another word, and the digests of it
  bank N ALGORITHM     record N has a digest of this bank only
  append WORD          one more record like the last one, for another word
  keep N               the first N records only
  cut OCTETS           the last so many octets
  renumber             the records count from 0 again
  claim KEY VALUE      annotation KEY of every record that has it
  annotate N KEY VALUE annotation KEY of record N

  flip STEP COMMAND... flip a bit of every STEP-th octet in turn and run COMMAND, which must
                       end with status 3 if anything that is verified became different, and
                       with 0 or 3 otherwise; print what is not so, then the number of runs
"""
import hashlib
import json
import subprocess
import sys

VERIFIED = "recnum", "pcr", "nv_index", "digests", "content_type"


def read(data):
    return [json.loads(piece) for piece in data.split(b"\x1e")[1:]]


def write(path, records):
    with open(path, "wb") as f:
        for record in records:
            text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
            f.write(b"\x1e" + text.encode() + b"\n")


def reword(record, word):
    record["content"]["string"] = word
    for digest in record["digests"]:
        digest["digest"] = hashlib.new(digest["hashAlg"], word.encode()).hexdigest()


def elsewhere(records, n, member, index, algorithm=None):
    record = json.loads(json.dumps(records[n]))
    for old in "pcr", "nv_index":
        record.pop(old, None)
    record[member] = int(index, 0)
    record["content"].pop("nvIndexName", None)
    if member == "nv_index":
        record["content"]["nvIndexName"] = "other"
    if algorithm:
        record["digests"] = [{"hashAlg": algorithm}]
    reword(record, record["content"]["string"])
    records.insert(n + 1, record)


def edit(path, data, what, args):
    if what == "cut":
        with open(path, "wb") as f:
            f.write(data[:-int(args[0])])
        return
    records = read(data)
    if what == "replace":
        texts = data.split(b"\x1e")
        n = int(args[0]) + 1
        if args[1].encode() not in texts[n]:
            sys.exit(f"edit-log.py: record {args[0]} has no {args[1]}")
        texts[n] = texts[n].replace(args[1].encode(), args[2].encode(), 1)
        with open(path, "wb") as f:
            f.write(b"\x1e".join(texts))
        return
    if what == "drop":
        del records[int(args[0])]
    elif what == "swap":
        n, m = map(int, args)
        records[n], records[m] = records[m], records[n]
    elif what == "again":
        records.insert(int(args[0]), records[int(args[0])])
    elif what == "elsewhere":
        elsewhere(records, int(args[0]), *args[1:])
    elif what == "reword":
        reword(records[int(args[0])], args[1])
    elif what == "bank":
        record = records[int(args[0])]
        record["digests"] = [digest for digest in record["digests"]
                             if digest["hashAlg"] == args[1]]
    elif what == "append":
        records.append(json.loads(json.dumps(records[-1])))
        records[-1]["recnum"] += 1
        reword(records[-1], args[0])
    elif what == "keep":
        del records[int(args[0]):]
    elif what == "renumber":
        for i, record in enumerate(records):
            record["recnum"] = i
    elif what == "annotate":
        records[int(args[0])]["content"].setdefault("annotations", {})[args[1]] = args[2]
    elif what == "claim":
        for record in records:
            annotations = record["content"].get("annotations", {})
            if args[0] in annotations:
                annotations[args[0]] = args[1]
    else:
        sys.exit(f"edit-log.py: {what}?")
    write(path, records)


def verified(data):
    """All of a log that a verifier must not take another value for; None if it is no log."""
    result = []
    try:
        if b"" != data.split(b"\x1e")[0] or not data.endswith(b"\n"):
            return None
        for record in read(data):
            content = record["content"]
            for digest in record["digests"]:
                digest["digest"] = digest["digest"].lower()
            result.append([record.get(key) for key in VERIFIED])
            result.append([content["string"], content["bootId"]])
            result.append({key: value for key, value in content.get("annotations", {}).items()
                           if key.startswith("gate-")})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return result


def flip(path, data, step, command):
    runs = 0
    for offset in range(0, len(data), step):
        altered = bytearray(data)
        altered[offset] ^= 1 << (offset // step) % 8
        with open(path, "wb") as f:
            f.write(altered)
        status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                check=False).returncode
        same = verified(bytes(altered)) == verified(data)
        if status != 3 and not (same and status == 0):
            print(f"octet {offset}: status {status}: {bytes(altered[offset - 30:offset + 30])}")
        runs += 1
    with open(path, "wb") as f:
        f.write(data)
    print(runs)


def main(path, what, *args):
    with open(path, "rb") as f:
        data = f.read()
    if what == "flip":
        flip(path, data, int(args[0]), args[1:])
    else:
        edit(path, data, what, args)


if __name__ == "__main__":
    main(*sys.argv[1:])
