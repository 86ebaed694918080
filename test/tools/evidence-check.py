#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""evidence-check.py FILE WHAT... - look at evidence by other means than the product

  problems PEM   what is wrong with it, a line each; nothing if all is good
  schema SCHEMA  what the JSON Schema SCHEMA does not allow in the header
  take PATH      a member of the header, such as quote.attest, decoded, to stdout
  records        how many records there are
  log            the records, byte for byte, to stdout

Signatures are verified by openssl; structures are taken apart here.
"""
import base64
import hashlib
import json
import struct
import subprocess
import sys
import tempfile

SHA256 = 0x000B
MAGIC = b"\xffTCG"
GENESIS = b"nvpcr-genesis:v1"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def two(data):
    return struct.pack(">H", len(data)) + data


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        if size > len(self.data):
            raise ValueError("too short")
        data, self.data = self.data[:size], self.data[size:]
        return data

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def sized(self, size=2):
        return self.take(self.number(size))


def read(path):
    with open(path, "rb") as f:
        pieces = f.read().split(b"\x1e")
    if pieces.pop(0) or not all(piece.endswith(b"\n") for piece in pieces):
        raise ValueError("not a sequence of whole texts")
    return json.loads(pieces[0]), [b"\x1e" + piece for piece in pieces[1:]]


def decode(text):
    return base64.b64decode(text, validate=True)


def der(value):
    body = value.to_bytes(33, "big").lstrip(b"\0")
    if not body or body[0] & 0x80:
        body = b"\0" + body
    return bytes([2, len(body)]) + body


def signature_file(signature):
    """TPMT_SIGNATURE as openssl takes it."""
    reader = Reader(signature)
    scheme, alg = reader.number(2), reader.number(2)
    if alg != SHA256:
        raise ValueError("not signed with SHA-256")
    if scheme == 0x0018:
        body = b"".join(der(int.from_bytes(reader.sized(), "big")) for _ in range(2))
        out = bytes([0x30, len(body)]) + body
    elif scheme == 0x0014:
        out = reader.sized()
    else:
        raise ValueError("neither ECDSA nor RSASSA")
    if reader.data:
        raise ValueError("more behind the signature")
    return out


def is_signed(pem, attest, signature):
    with tempfile.NamedTemporaryFile() as a, tempfile.NamedTemporaryFile() as s:
        a.write(attest)
        a.flush()
        s.write(signature_file(signature))
        s.flush()
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", pem, "-signature",
                               s.name, a.name], capture_output=True, check=False)
    return done.returncode == 0


def parse(attest):
    """TPMS_ATTEST: what all kinds have, and what is left."""
    reader = Reader(attest)
    magic, kind = reader.take(4), reader.number(2)
    signer, extra = reader.sized(), reader.sized()
    clock = {"clock": reader.number(8), "reset": reader.number(4), "restart": reader.number(4)}
    reader.take(1 + 8)
    return magic, kind, signer, extra, clock, reader


def fold(alg, words, start=None):
    value = start or bytes(hashlib.new(alg).digest_size)
    for word in words:
        value = hashlib.new(alg, value + hashlib.new(alg, word).digest()).digest()
    return value


class Check:
    def __init__(self, path, pem):
        self.header, self.records = read(path)
        self.log = [json.loads(record[1:]) for record in self.records]
        self.pem = pem
        self.nonce = bytes.fromhex(self.header["nonce"])
        public = decode(self.header["ak"]["public"])
        self.ak_name = struct.pack(">H", SHA256) + sha256(public[2:])
        self.session = bytes(32)
        self.clocks = []
        self.problems = []

    def say(self, good, text):
        if not good:
            self.problems.append(text)

    def statement(self, pair, kind, what):
        attest, signature = decode(pair["attest"]), decode(pair["signature"])
        magic, found, _, extra, clock, reader = parse(attest)
        self.say(is_signed(self.pem, attest, signature), f"{what}: signature")
        self.say(magic == MAGIC and found == kind, f"{what}: type")
        self.say(extra == self.nonce, f"{what}: nonce")
        self.clocks.append(clock)
        return attest, signature, reader

    def audited(self, code, names, parameters, attest, signature):
        cp = sha256(struct.pack(">I", code), *names, two(self.nonce), b"\0\x10", parameters)
        rp = sha256(bytes(4), struct.pack(">I", code), two(attest), signature)
        self.session = sha256(self.session, cp, rp)

    def quote(self):
        attest, signature, reader = self.statement(self.header["quote"], 0x8018, "quote")
        start = len(attest) - len(reader.data)
        self.say(reader.number(4) == 1, "quote: more than one bank")
        alg, bitmap = reader.number(2), reader.sized(1)
        selection = attest[start:len(attest) - len(reader.data)]
        pcrs = [n for n in range(24) if bitmap[n // 8] >> n % 8 & 1]
        (bank, values), = self.header["pcrs"].items()
        self.say({"sha1": 4, "sha256": 11, "sha384": 12, "sha512": 13}[bank] == alg, "quote: bank")
        self.say(pcrs == sorted(map(int, values)), "quote: which PCRs")
        digest = sha256(*(bytes.fromhex(values[str(n)]) for n in pcrs))
        self.say(reader.sized() == digest and not reader.data, "quote: values")
        self.audited(0x158, [self.ak_name], selection, attest, signature)
        return bank, {int(n): bytes.fromhex(value) for n, value in values.items()}

    def index(self, entry):
        public = decode(entry["public"])
        handle, = struct.unpack(">I", public[2:6])
        alg = {11: "sha256", 12: "sha384"}[struct.unpack(">H", public[6:8])[0]]
        name = public[6:8] + hashlib.new(alg, public[2:]).digest()
        attest, signature, reader = self.statement(entry["certify"], 0x8014, entry["name"])
        self.say(reader.sized() == name, f"{entry['name']}: Name")
        self.say(reader.number(2) == 0, f"{entry['name']}: offset")
        value = reader.sized()
        by = b"\x40\0\0\x01" if entry["auth"] == "owner" else name
        self.audited(0x184, [self.ak_name, by, name], struct.pack(">HH", len(value), 0),
                     attest, signature)
        words = [r["content"]["string"].encode() for r in self.log
                 if r.get("nv_index") == handle]
        self.say(words[:1] == [GENESIS], f"{entry['name']}: genesis")
        self.say(fold(alg, words) == value, f"{entry['name']}: fold of the log")
        return f"0x{handle:08x}:{name.hex()}:"

    def all(self):
        bank, values = self.quote()
        anchored = "".join(":" + self.index(entry) for entry in self.header["nvpcrs"])
        attest, _, reader = self.statement(self.header["audit"], 0x8016, "audit")
        self.say(reader.number(1) == 1, "audit: not exclusive")
        self.say(reader.sized() == self.session and not reader.data, "audit: digest")
        self.say(len({(c["reset"], c["restart"]) for c in self.clocks}) == 1, "clocks: boots")
        self.say(self.clocks == sorted(self.clocks, key=lambda c: c["clock"]), "clocks: order")
        anchors = [r for r in self.log if r["content"]["string"].startswith("nvpcr-anchor:")]
        self.say(len(anchors) == 1, f"log: {len(anchors)} anchors")
        gate = anchors[0]["pcr"]
        words = [r["content"]["string"].encode() for r in self.log if r.get("pcr") == gate]
        start = bytes.fromhex(anchors[0]["content"]["annotations"]["gate-" + bank])
        self.say(fold(bank, words, start) == values[gate], "gate: fold of the log")
        for part in anchored.split("::"):
            self.say(part.strip(":") in anchors[0]["content"]["string"], "anchor: names")
        return self.problems


def main(path, what, *args):
    header, records = read(path)
    if what == "problems":
        print("\n".join(Check(path, args[0]).all()), end="")
    elif what == "schema":
        import jsonschema
        with open(args[0], encoding="ascii") as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        for error in jsonschema.Draft202012Validator(schema).iter_errors(header):
            print(error.json_path, error.message[:200])
    elif what == "take":
        value = header
        for key in args[0].split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        sys.stdout.buffer.write(decode(value))
    elif what == "records":
        print(len(records))
    elif what == "log":
        sys.stdout.buffer.write(b"".join(records))
    else:
        sys.exit(f"evidence-check.py: {what}?")


if __name__ == "__main__":
    main(*sys.argv[1:])
