#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd-extend.py PORT HANDLE AUTH WORD - extend an index as systemd 262 does

Sends to the software TPM at PORT on 127.0.0.1 the fourteen commands that systemd-pcrextend
sends for `--nvpcr=NAME WORD`, in their recorded order and with its arguments: the digest
of the first branch is taken from the file AUTH as it is, and the session is an unbound
policy session. Prints the name of each command; ends with status 1 at the first refusal.
"""
import hashlib
import hmac
import pathlib
import socket
import struct
import sys

SHA256 = 0x000B
NULL = 0x40000007
CAPABILITIES = ((0, 1, 127), (2, 0x11F, 256), (8, 3, 253), (5, 0, 1), (6, 0x12C, 1))


def sha256(data):
    return hashlib.sha256(data).digest()


def sized(data):
    return struct.pack(">H", len(data)) + data


class Tpm:
    def __init__(self, port):
        self.port = port

    def send(self, name, code, body, tag=0x8001, may_be=()):
        command = struct.pack(">HII", tag, 10 + len(body), code) + body
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(command)
            data = b""
            while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
                data += s.recv(4096)
        rc = struct.unpack(">I", data[6:10])[0]
        print(name, hex(rc))
        if rc and rc not in may_be:
            sys.exit(1)
        return data[10:]


def written_policy():
    return sha256(bytes(32) + struct.pack(">IB", 0x18F, 1))


def context(tpm):
    """What is sent before the index is thought of."""
    tpm.send("Startup", 0x144, struct.pack(">H", 0), may_be=(0x100,))
    for capability in CAPABILITIES:
        tpm.send("GetCapability", 0x17A, struct.pack(">III", *capability))
    # AES-128-CFB
    tpm.send("TestParms", 0x18A, struct.pack(">HHHH", 0x25, 0x6, 128, 0x43))


def extend(tpm, handle, branch, digest):
    tpm.send("GetCapability", 0x17A, struct.pack(">III", 1, handle, 1))
    public = tpm.send("NV_ReadPublic", 0x169, struct.pack(">I", handle))
    size = struct.unpack(">H", public[:2])[0]
    name = public[4 + size:]
    nonce = bytes(range(32))
    answer = tpm.send("StartAuthSession", 0x176, struct.pack(">II", NULL, NULL) +
                      sized(nonce) + sized(b"") + struct.pack(">BHH", 1, 0x10, SHA256))
    session = struct.unpack(">I", answer[:4])[0]
    tpm.send("PolicyNvWritten", 0x18F, struct.pack(">IB", session, 1))
    tpm.send("PolicyOR", 0x171, struct.pack(">II", session, 2) + sized(branch) +
             sized(written_policy()))
    parameters = sized(digest)
    checked = sha256(struct.pack(">I", 0x136) + name + name + parameters)
    attributes = b"\x01"
    mac = hmac.new(b"", checked + nonce + answer[6:] + attributes, hashlib.sha256).digest()
    area = struct.pack(">I", session) + sized(nonce) + attributes + sized(mac)
    tpm.send("NV_Extend", 0x136, struct.pack(">III", handle, handle, len(area)) + area +
             parameters, tag=0x8002)
    tpm.send("FlushContext", 0x165, struct.pack(">I", session))


def main(port, handle, auth, word):
    tpm = Tpm(int(port))
    branch = bytes.fromhex(pathlib.Path(auth).read_text(encoding="ascii"))
    context(tpm)
    extend(tpm, int(handle, 0), branch, sha256(word.encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
