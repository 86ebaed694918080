#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tpm-proxy.py SOCKET PORT RULES COMMANDS - stand between a client and a software TPM

Commands that come in at SOCKET go to PORT on 127.0.0.1. The name of each is written to
the file COMMANDS, followed by what was done to it if that is anything but passing it on.

The file RULES holds lines "NAME ACTION [SKIP [COUNT]]": what is done to commands of that
name, or of any if it is "any", after the first SKIP of them, COUNT times (always). Lines
that begin with "# " say nothing, but the counting begins anew whenever the text changes.
Actions:

  hang     the command is swallowed; there is never an answer
  lose     the TPM executes it; there is never an answer
  wait     it reaches the TPM when the rules have changed
  cut      the connection is closed instead
  slow:N   the TPM executes it N seconds later
  maker:M  the TPM says that M made it, and that its firmware is 73.4
  orderly:ACTION
           ACTION if the command defines an index that is kept in RAM
  intrude  another command, a PCR_Read of nothing, is executed behind it
  rc:0xNN  the TPM does not hear of it; the answer is this response code
"""
import contextlib
import socket
import struct
import sys
import threading
import time
import time

FOREVER = 1 << 30
INTRUDER = bytes.fromhex("80010000000e" "0000017e" "00000000")
NAMES = {
    0x11F: "NV_UndefineSpaceSpecial", 0x122: "NV_UndefineSpace", 0x12A: "NV_DefineSpace",
    0x136: "NV_Extend", 0x137: "NV_Write", 0x14E: "NV_Read", 0x165: "FlushContext",
    0x169: "NV_ReadPublic", 0x171: "PolicyOR", 0x176: "StartAuthSession",
    0x17A: "GetCapability", 0x17E: "PCR_Read", 0x17F: "PolicyPCR", 0x182: "PCR_Extend",
    0x18F: "PolicyNvWritten",
}


class Rules:
    """The rules as the file has them now, and what was counted since."""

    def __init__(self, path):
        self.path = path
        self.text = None
        self.rules = []

    def read(self):
        with open(self.path, encoding="ascii") as f:
            text = f.read()
        if text == self.text:
            return
        self.text = text
        self.rules = []
        for words in map(str.split, text.splitlines()):
            if words and words[0] != "#":
                numbers = [int(word) for word in words[2:]]
                self.rules.append(words[:2] + numbers + [0, FOREVER][len(numbers):])

    def stay(self, lock):
        """Until the file has another text."""
        text = self.text
        while text == self.text:
            time.sleep(0.01)
            with lock:
                self.read()

    def action(self, name):
        self.read()
        for rule in self.rules:
            if rule[0] not in (name, "any"):
                continue
            if rule[2] > 0:
                rule[2] -= 1
            elif rule[3] > 0:
                rule[3] -= 1
                return rule[1]
        return ""


def pretend(answer, maker):
    """The answer to GetCapability, of a TPM of somebody else's."""
    count = struct.unpack(">I", answer[15:19])[0]
    values = {0x105: maker.ljust(4).encode(), 0x10B: struct.pack(">HH", 73, 4)}
    answer = bytearray(answer)
    if answer[11:15] != b"\0\0\0\x06":
        return bytes(answer)
    for at in range(19, 19 + 8 * count, 8):
        tag = struct.unpack(">I", answer[at:at + 4])[0]
        answer[at + 4:at + 8] = values.get(tag, answer[at + 4:at + 8])
    return bytes(answer)


def is_orderly(command):
    """Whether a NV_DefineSpace is of an index with TPMA_NV_ORDERLY."""
    area = 18 + struct.unpack(">I", command[14:18])[0]      # behind the authorization
    auth = 2 + struct.unpack(">H", command[area:area + 2])[0]
    at = area + auth + 2 + 6
    return bool(struct.unpack(">I", command[at:at + 4])[0] & 0x04000000)


def read_message(s):
    data = b""
    while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
        part = s.recv(4096)
        if not part:
            return b""
        data += part
    return data


def exchange(port, command):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(command)
        return read_message(s)


def serve(client, port, rules, commands, lock):
    """Until the client goes away, which it may do at any moment."""
    with client, contextlib.suppress(ConnectionError):
        while True:
            command = read_message(client)
            if not command:
                return
            code = struct.unpack(">I", command[6:10])[0]
            name = NAMES.get(code, hex(code))
            with lock:
                action = rules.action(name)
                commands.write(f"{name} {action}".rstrip() + "\n")
                commands.flush()
            if action.startswith("orderly:"):
                action = action[8:] if is_orderly(command) else ""
            if action == "wait":
                rules.stay(lock)
            if action == "hang":
                client.recv(1)
                return
            if action == "cut":
                return
            if action.startswith("rc:"):
                answer = struct.pack(">HII", 0x8001, 10, int(action[3:], 16))
            else:
                if action.startswith("slow:"):
                    time.sleep(int(action[5:]))
                answer = exchange(port, command)
            if action == "intrude":
                exchange(port, INTRUDER)
            if action.startswith("maker:"):
                answer = pretend(answer, action[6:])
            if action == "lose":
                client.recv(1)
                return
            client.sendall(answer)


def main():
    path, port, rules_path, commands_path = sys.argv[1:]
    rules = Rules(rules_path)
    lock = threading.Lock()
    with socket.socket(socket.AF_UNIX) as listener, \
            open(commands_path, "a", encoding="ascii") as commands:
        listener.bind(path)
        listener.listen(64)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, int(port), rules, commands, lock),
                             daemon=True).start()


if __name__ == "__main__":
    main()
