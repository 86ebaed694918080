#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""evidence-edit.py EVIDENCE WHAT ARGUMENT... - alter evidence as somebody might who made it

  get PATH             print a member of the header, such as nvpcrs.0.name
  set PATH JSON        give it another value
  drop PATH            take it away
  take PATH OTHER      take it from other evidence
  add PATH OTHER       append to an array what another evidence has at PATH.0
  log FILE             have other records
  twist PATH OFFSET [BIT]
                       flip a bit of what a member in Base64 holds

  flip STEP COMMAND... flip a bit of every STEP-th octet in turn and run COMMAND, which must
                       end with status 3 if anything that is verified became different, and
                       with 0 or 3 otherwise; print what is not so, then the number of runs
  fields COMMAND...    flip a bit of every member of the header that is verified, in turn;
                       COMMAND must end with status 3; print as above
  swap OTHER COMMAND.. take every member of the header in turn from OTHER; the same
"""
import base64
import json
import subprocess
import sys

CLAIMS = {"nvpcrs.0.name", "ak.ek_certificate", "firmware_log"}


def read(path):
    with open(path, "rb") as f:
        header, rest = f.read().split(b"\n", 1)
    return json.loads(header[1:]), rest


def write(path, header, log):
    with open(path, "wb") as f:
        f.write(b"\x1e" + json.dumps(header, separators=(",", ":")).encode() + b"\n" + log)


def parent_of(header, path):
    *names, last = [int(name) if name.isdigit() and path.startswith("nvpcrs") else name
                    for name in path.split(".")]
    for name in names:
        header = header[name]
    return header, last


def get(header, path):
    parent, name = parent_of(header, path)
    return parent[name]


def put(header, path, value):
    parent, name = parent_of(header, path)
    parent[name] = value


def twist(text, offset, bit=0):
    data = bytearray(base64.b64decode(text))
    data[int(offset) % len(data)] ^= 1 << int(bit)
    return base64.b64encode(data).decode()


def leaves(value, path=""):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}")
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from leaves(member, f"{path}.{i}")
    else:
        yield path[1:]


def status(command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode


def record(piece, bank):
    content = piece["content"]
    digests = [(digest["hashAlg"], digest["digest"].lower()) for digest in piece["digests"]]
    gate = content.get("annotations", {}).get(f"gate-{bank}")
    return (piece["recnum"], piece.get("pcr"), piece.get("nv_index"), digests,
            piece["content_type"], content["string"], content["bootId"], gate)


def verified(data):
    """All of evidence that must not become another value unseen; None if it is none."""
    try:
        header, log = data.split(b"\n", 1)
        header = json.loads(header[1:])
        known = {path: str(get(header, path)).lower() if path.startswith("pcrs") or
                 path == "nonce" else get(header, path)
                 for path in leaves(header) if path not in CLAIMS}
        if log and (log[:1] != b"\x1e" or log[-1:] != b"\n"):
            return None
        return known, [record(json.loads(piece), *header["pcrs"])
                       for piece in log.split(b"\x1e")[1:]]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def flip(path, step, command):
    with open(path, "rb") as f:
        data = f.read()
    good, runs = verified(data), 0
    for offset in range(0, len(data), step):
        altered = bytearray(data)
        altered[offset] ^= 1 << (offset // step) % 8
        with open(path, "wb") as f:
            f.write(altered)
        result = status(command)
        if result != 3 and not (result == 0 and verified(bytes(altered)) == good):
            print(f"octet {offset}: status {result}: {bytes(altered[offset - 30:offset + 30])}")
        runs += 1
    with open(path, "wb") as f:
        f.write(data)
    print(runs)


def try_all(path, changes, command):
    """Make one change (leaf, value) at a time and see that it is noticed."""
    header, log = read(path)
    runs = 0
    for leaf, value in changes:
        old = get(header, leaf)
        put(header, leaf, value)
        write(path, header, log)
        result = status(command)
        if result != 3:
            print(f"{leaf}, {value}: status {result}")
        runs += 1
        put(header, leaf, old)
    write(path, header, log)
    print(runs)


def twisted(header):
    for leaf in leaves(header):
        old = get(header, leaf)
        if leaf in CLAIMS:
            continue
        if leaf.split(".")[-1] in ("public", "attest", "signature"):
            for place in range(len(base64.b64decode(old))):
                yield leaf, twist(old, place, place % 8)
        elif isinstance(old, int):
            yield leaf, old ^ 2
        elif leaf.endswith("auth"):
            yield leaf, "index" if old == "owner" else "owner"
        else:
            yield leaf, old[:-1] + ("0" if old[-1] != "0" else "1")


def taken(header, theirs):
    for leaf in [*leaves(header), "ak", "quote", "pcrs", "nvpcrs", "nvpcrs.0.certify", "audit"]:
        if leaf not in CLAIMS and get(theirs, leaf) != get(header, leaf):
            yield leaf, get(theirs, leaf)


def edit(path, what, args):
    header, log = read(path)
    if what == "get":
        print(json.dumps(get(header, args[0])))
        return
    if what == "set":
        put(header, args[0], json.loads(args[1]))
    elif what == "drop":
        parent, name = parent_of(header, args[0])
        del parent[name]
    elif what == "take":
        put(header, args[0], get(read(args[1])[0], args[0]))
    elif what == "add":
        get(header, args[0]).append(get(read(args[1])[0], args[0])[0])
    elif what == "log":
        with open(args[0], "rb") as f:
            log = f.read()
    elif what == "twist":
        put(header, args[0], twist(get(header, args[0]), *args[1:]))
    else:
        sys.exit(f"evidence-edit.py: {what}?")
    write(path, header, log)


def main(path, what, *args):
    if what == "flip":
        flip(path, int(args[0]), args[1:])
    elif what == "fields":
        try_all(path, twisted(read(path)[0]), args)
    elif what == "swap":
        try_all(path, taken(read(path)[0], read(args[0])[0]), args[1:])
    else:
        edit(path, what, args)


if __name__ == "__main__":
    main(*sys.argv[1:])
