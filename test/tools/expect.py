#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""expect.py WHAT ARGUMENT... - compute by other means what the product must come to

  policy PCR VALUE             authPolicy of an index whose gate is PCR == VALUE
  branch PCR VALUE             digest of that policy's first branch
  name HANDLE ATTRIBUTES PCR VALUE
                               Name of that index; attributes in hexadecimal
  genesis                      an index's value after its first write
  extend VALUE WORD...         VALUE after extending it by the words' digests
  fold LOG KIND INDEX [START [ALG]]
                               value of an index (nv_index) or PCR (pcr) after a log
  check LOG                    print what is wrong with the log's form; nothing if all is good
  words                        from a table on stdin: the word of each verity target
  set PHASE                    from words on stdin, one a line: the word of their set
  dump SIGNATURE OPTIONS       from `veritysetup dump` and a line "Root hash: HEX" on stdin

Shares no code with the product. Everything is SHA-256 unless said otherwise.
"""
import hashlib
import json
import re
import struct
import sys

SHA256 = 0x000B
ORDINALS = {"PolicyOR": 0x171, "PolicyPCR": 0x17F, "PolicyNvWritten": 0x18F}


def sha256(data):
    return hashlib.sha256(data).digest()


def branch(pcr, value):
    selection = struct.pack(">IHB", 1, SHA256, 3) + struct.pack("<I", 1 << pcr)[:3]
    return sha256(bytes(32) + struct.pack(">I", ORDINALS["PolicyPCR"]) + selection +
                  sha256(value))


def policy(pcr, value):
    zero = bytes(32)
    a = branch(pcr, value)
    b = sha256(zero + struct.pack(">I", ORDINALS["PolicyNvWritten"]) + b"\x01")
    return sha256(zero + struct.pack(">I", ORDINALS["PolicyOR"]) + a + b)


def name(handle, attributes, auth_policy):
    public = struct.pack(">IHI", handle, SHA256, attributes)
    public += struct.pack(">H", len(auth_policy)) + auth_policy + struct.pack(">H", 32)
    return struct.pack(">H", SHA256) + sha256(public)


def read_log(path):
    with open(path, "rb") as f:
        data = f.read()
    records = []
    for piece in data.split(b"\x1e")[1:]:
        if not piece.endswith(b"\n"):
            raise ValueError("a record without its end")
        records.append(json.loads(piece))
    return records


def fold(path, kind, index, start=None, alg="sha256"):
    value = bytes.fromhex(start) if start else bytes(hashlib.new(alg).digest_size)
    for record in read_log(path):
        if record.get(kind) != index:
            continue
        for digest in record["digests"]:
            if digest["hashAlg"] == alg:
                value = hashlib.new(alg, value + bytes.fromhex(digest["digest"])).digest()
    return value


def check(path):
    for i, record in enumerate(read_log(path)):
        word = record["content"]["string"].encode("ascii")
        if record["recnum"] != i:
            print(f"record {i} says it is {record['recnum']}")
        if ("pcr" in record) == ("nv_index" in record):
            print(f"record {i} is not for either a PCR or an index")
        if record["content_type"] != "systemd":
            print(f"record {i} has another content_type")
        for digest in record["digests"]:
            if hashlib.new(digest["hashAlg"], word).hexdigest() != digest["digest"]:
                print(f"record {i} has a wrong {digest['hashAlg']} digest")
        for key in "bootId", "timestamp", "eventType", "phase":
            if key not in record["content"]:
                print(f"record {i} lacks {key}")


def options(words):
    """The words of a table after the number of them."""
    names, signature = set(), "none"
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "root_hash_sig_key_desc":
            signature = "kernel"
            words.pop(0)
        elif word in ("fec_roots", "fec_blocks", "fec_start"):
            words.pop(0)
        elif word == "use_fec_from_device":
            names.add(word)
            words.pop(0)
        elif word != "try_verify_in_tasklet":
            names.add(word)
    return ",".join(sorted(names)) or "-", signature


def word_of(line):
    fields = line.split()
    if not re.fullmatch("[0-9a-fA-F]+", fields[11]):
        text = line.rstrip("\n").split(" ", 3)[3]
        return f"dm-verity:v1:unreadable:{hashlib.sha256(text.encode()).hexdigest()}"
    version, _, _, data_size, hash_size, blocks, _, alg, root, salt = fields[3:13]
    names, signature = options(fields[14:])
    return (f"dm-verity:v1:{version}:{alg}:{root.lower()}:{salt.lower()}:{data_size}:"
            f"{hash_size}:{blocks}:{names}:{signature}")


def dump(signature, names, text):
    def field(label):
        return re.search(rf"^{label}:\s*(\S+)", text, re.MULTILINE).group(1)
    return (f"dm-verity:v1:{field('Hash type')}:{field('Hash algorithm')}:"
            f"{field('Root hash')}:{field('Salt')}:{field('Data block size')}:"
            f"{field('Hash block size')}:{field('Data blocks')}:{names}:{signature}")


def set_word(phase, words):
    text = b"".join(word.encode() + b"\n" for word in sorted(words))
    return f"set:v1:{phase}:{len(words)}:{hashlib.sha256(text).hexdigest()}"


def main(what, *args):
    if what == "policy":
        print(policy(int(args[0]), bytes.fromhex(args[1])).hex())
    elif what == "branch":
        print(branch(int(args[0]), bytes.fromhex(args[1])).hex())
    elif what == "name":
        auth_policy = policy(int(args[2]), bytes.fromhex(args[3]))
        print(name(int(args[0], 0), int(args[1], 16), auth_policy).hex())
    elif what == "genesis":
        print(sha256(bytes(32) + sha256(b"nvpcr-genesis:v1")).hex())
    elif what == "extend":
        value = bytes.fromhex(args[0])
        for word in args[1:]:
            value = sha256(value + sha256(word.encode()))
        print(value.hex())
    elif what == "fold":
        print(fold(args[0], args[1], int(args[2], 0), *args[3:]).hex())
    elif what == "check":
        check(args[0])
    elif what == "words":
        for line in sys.stdin:
            if line.split()[2] == "verity":
                print(word_of(line))
    elif what == "set":
        print(set_word(args[0], sys.stdin.read().splitlines()))
    elif what == "dump":
        print(dump(args[0], args[1], sys.stdin.read()))
    else:
        sys.exit(f"expect.py: {what}?")


if __name__ == "__main__":
    main(*sys.argv[1:])
