#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""evidence.py WHAT ARGUMENT... - make evidence by other means than the product

  ak PORT TYPE            PEM of an attestation key (ecc or rsa) of the TPM at PORT
  make PORT OUT NONCE LOG [NAME=VALUE...]
                          evidence in file OUT, about what the anchor in LOG names
  naive PORT HANDLE       value and Name of an index by TPM2_NV_Certify alone, with what a
                          verifier would say that knows nothing else

  type=rsa        the key                     auth=index     whose authorization
  firmware=FILE   the firmware's log          pcrs=0,1,13    which ones are quoted
  bank=sha384     of the PCRs                 between=SHELL  run after the quote
  key=loose       a key that is not restricted
  exclusive=no    go on when something came between
  skip=yes        say nothing about indices

Talks to swtpm in plain bytes, and shares no code with the product.
"""
import base64
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys

SESSIONS, NO_SESSIONS = 0x8002, 0x8001
OWNER, ENDORSEMENT, NULL, PASSWORD = 0x40000001, 0x4000000B, 0x40000007, 0x40000009
SHA256, ALG_NULL, ECDSA, RSASSA = 0x000B, 0x0010, 0x0018, 0x0014
BANKS = {"sha1": 0x0004, "sha256": SHA256, "sha384": 0x000C}
RESTRICTED = 0x00010000
EC_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
RSA_HEAD = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def sized(data):
    return u16(len(data)) + data


def unsized(data, at=0):
    size, = struct.unpack_from(">H", data, at)
    return data[at + 2:at + 2 + size]


def sha256(data):
    return hashlib.sha256(data).digest()


class Refused(Exception):
    pass


class Tpm:
    def __init__(self, port):
        self.port = int(port)

    def command(self, code, handles=b"", auths=None, parameters=b""):
        area = b"".join(auths or [])
        body = handles + (u32(len(area)) + area if auths else b"") + parameters
        tag = SESSIONS if auths else NO_SESSIONS
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.sendall(struct.pack(">HII", tag, 10 + len(body), code) + body)
            answer = b""
            while len(answer) < 10 or len(answer) < struct.unpack_from(">I", answer, 2)[0]:
                answer += link.recv(4096)
        result, = struct.unpack_from(">I", answer, 6)
        if result:
            raise Refused(f"command 0x{code:x}: 0x{result:x}")
        return answer[10:]

    def key(self, kind, restricted=True):
        attributes = 0x00040472 | (RESTRICTED if restricted else 0)
        if kind == "ecc":
            template = u16(0x23) + u16(SHA256) + u32(attributes) + u16(0) + u16(ALG_NULL)
            template += u16(ECDSA) + u16(SHA256) + u16(3) + u16(ALG_NULL) + u16(0) + u16(0)
        else:
            template = u16(1) + u16(SHA256) + u32(attributes) + u16(0) + u16(ALG_NULL)
            template += u16(RSASSA) + u16(SHA256) + u16(2048) + u32(0) + u16(0)
        answer = self.command(0x131, u32(ENDORSEMENT), [password()],
                              sized(u16(0) + u16(0)) + sized(template) + u16(0) + u32(0))
        public = unsized(answer, 8)
        return answer[:4], public

    def flush(self, handle):
        self.command(0x165, parameters=handle)

    def name(self, handle):
        answer = self.command(0x169, u32(handle))
        public = unsized(answer)
        return public, unsized(answer, 2 + len(public))

    def pcr(self, number, bank):
        return self.command(0x17E, parameters=selection([number], bank))[-hashlib.new(
            bank).digest_size:]


def password():
    return u32(PASSWORD) + u16(0) + b"\0" + u16(0)


def selection(pcrs, bank):
    bits = sum(1 << pcr for pcr in pcrs)
    return u32(1) + u16(BANKS[bank]) + b"\x03" + struct.pack("<I", bits)[:3]


def pem(public):
    if public[:2] == u16(0x23):
        der = EC_HEAD + public[-66:-34] + public[-32:]
    else:
        der = RSA_HEAD + public[-256:] + bytes.fromhex("0203010001")
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----"] + lines + ["-----END PUBLIC KEY-----"])


class Audit:
    """An audit session without secrets, so without HMACs."""

    def __init__(self, tpm, exclusive):
        self.tpm = tpm
        self.exclusive = exclusive
        self.begun = False
        self.session = tpm.command(0x176, u32(NULL) + u32(NULL), None, sized(os.urandom(16)) +
                                   u16(0) + b"\0" + u16(ALG_NULL) + u16(SHA256))[:4]

    def run(self, code, handles, auths, parameters):
        own = self.session + sized(os.urandom(16)) + (b"\x83" if self.begun and self.exclusive
                                                            else b"\x81")
        answer = self.tpm.command(code, handles, auths + [own + u16(0)], parameters)
        self.begun = True
        size, = struct.unpack_from(">I", answer)
        attest = unsized(answer, 4)
        return signed(attest, answer[6 + len(attest):4 + size])


def signed(attest, signature):
    return {"attest": base64.b64encode(attest).decode(),
            "signature": base64.b64encode(signature).decode()}


def read_log(path):
    with open(path, "rb") as f:
        data = f.read()
    return data, [json.loads(piece) for piece in data.split(b"\x1e")[1:]]


def anchored(records):
    for record in records:
        word = record["content"]["string"]
        if word.startswith("nvpcr-anchor:v1:") and "mode=" not in word:
            return record.get("pcr", 13), [int(field, 16) for field in word.split(":")[3::3]]
        if word.startswith("nvpcr-anchor:"):
            return record.get("pcr", 13), []
    return 13, []


def collect(tpm, nonce, records, options):
    bank = options.get("bank", "sha256")
    gate, handles = anchored(records)
    if "skip" in options:
        handles = []
    pcrs = sorted({*map(int, options["pcrs"].split(","))} if "pcrs" in options
                  else {*range(10), 11, 12, 14, gate})
    areas = {handle: tpm.name(handle)[0] for handle in handles}
    key, public = tpm.key(options.get("type", "ecc"), options.get("key") != "loose")
    audit = Audit(tpm, options.get("exclusive") != "no")
    scheme = u16(ALG_NULL)
    header = {
        "veritally-evidence": 1, "nonce": nonce.hex(),
        "boot_id": options.get("boot_id", records[0]["content"]["bootId"] if records else ""),
        "ak": {"public": base64.b64encode(sized(public)).decode()},
        "quote": audit.run(0x158, key, [password()],
                           sized(nonce) + scheme + selection(pcrs, bank)),
    }
    if "between" in options:
        subprocess.run(["sh", "-c", options["between"]], check=True)
    nvpcrs = []
    for handle in handles:
        area = areas[handle]
        by = handle if options.get("auth") == "index" else OWNER
        size = struct.unpack(">H", area[-2:])[0]
        nvpcrs.append({
            "name": "verity", "auth": options.get("auth", "owner"),
            "public": base64.b64encode(sized(area)).decode(),
            "certify": audit.run(0x184, key + u32(by) + u32(handle), [password(), password()],
                                 sized(nonce) + scheme + u16(size) + u16(0)),
        })
    answer = tpm.command(0x14D, u32(ENDORSEMENT) + key + audit.session,
                         [password(), password()], sized(nonce) + scheme)
    attest = unsized(answer, 4)
    header["audit"] = signed(attest, answer[6 + len(attest):4 + struct.unpack_from(
        ">I", answer)[0]])
    header["pcrs"] = {bank: {str(pcr): tpm.pcr(pcr, bank).hex() for pcr in pcrs}}
    header["nvpcrs"] = nvpcrs
    if "firmware" in options:
        with open(options["firmware"], "rb") as f:
            header["firmware_log"] = base64.b64encode(f.read()).decode()
    tpm.flush(audit.session)
    tpm.flush(key)
    return header


def make(tpm, out, nonce, log, options):
    data, records = read_log(log)
    header = collect(tpm, nonce, records, options)
    with open(out, "wb") as f:
        f.write(b"\x1e" + json.dumps(header, separators=(",", ":")).encode() + b"\n" + data)


def naive(tpm, handle):
    """All that an index tells by itself: signed, by a good key, with a Name."""
    _, name = tpm.name(handle)
    key, _ = tpm.key("ecc")
    try:
        answer = tpm.command(0x184, key + u32(OWNER) + u32(handle), [password(), password()],
                             u16(0) + u16(ALG_NULL) + u16(32) + u16(0))
    finally:
        tpm.flush(key)
    attest = unsized(answer, 4)
    print(name.hex(), attest[-32:].hex())


def main(what, port, *args):
    tpm = Tpm(port)
    if what == "ak":
        key, public = tpm.key(args[0])
        tpm.flush(key)
        print(pem(public))
    elif what == "make":
        make(tpm, args[0], bytes.fromhex(args[1]), args[2],
             dict(arg.split("=", 1) for arg in args[3:]))
    elif what == "naive":
        naive(tpm, int(args[0], 0))
    else:
        sys.exit(f"evidence.py: {what}?")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refused as refusal:
        sys.exit(f"evidence.py: {refusal}")
