#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""varlink.py SOCKET WHAT ARGUMENT... - a client of io.systemd.PCRExtend

  call METHOD PARAMETERS       one call; print the reply
  extend PARAMETERS COUNT      COUNT calls of Extend on one connection, one after the
                               other; print "ok" and the seconds they took, or the reply
                               that is no success
  pipeline PARAMETERS COUNT    the same, but all calls are sent before a reply is read
  raw TEXT                     send TEXT as it is, without the NUL; print what comes back
                               until the connection ends
  fill                         send a message that never ends; print how much was taken
  slow                         send an octet each 20 ms; print "closed" when it is
  hold COUNT FILE              open COUNT connections, make FILE, keep what stays open
                               until the standard input ends
  stay PARAMETERS FILE         connect, make FILE, and call Extend when the standard
                               input ends; print the reply

Written from varlink.org and systemd's interface; shares no code with the product.
"""
import json
import pathlib
import socket
import sys
import time

EXTEND = "io.systemd.PCRExtend.Extend"


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(30)
        self.pending = b""

    def send(self, method, parameters):
        message = {"method": method, "parameters": parameters}
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.pending:
            part = self.socket.recv(65536)
            if not part:
                return {"error": "closed"}
            self.pending += part
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, parameters):
        self.send(method, parameters)
        return self.receive()


def extend(path, parameters, count, pipelined=False):
    client = Client(path)
    began = time.monotonic()
    if pipelined:
        for _ in range(count):
            client.send(EXTEND, parameters)
    for _ in range(count):
        reply = client.receive() if pipelined else client.call(EXTEND, parameters)
        if "error" in reply:
            print(json.dumps(reply))
            return
    print(f"ok {time.monotonic() - began:.3f}")


def raw(path, text):
    client = Client(path)
    client.socket.sendall(text.encode())
    client.socket.shutdown(socket.SHUT_WR)
    answer = b""
    while part := client.socket.recv(65536):
        answer += part
    print(answer.replace(b"\0", b"\n").decode(), end="")


def fill(path):
    client = Client(path)
    sent = 0
    try:
        while sent < 10_000_000:
            sent += client.socket.send(b"x" * 4096)
    except (BrokenPipeError, ConnectionResetError):
        pass
    print(sent)


def slow(path):
    client = Client(path)
    until = time.monotonic() + 25
    try:
        while time.monotonic() < until:
            client.socket.sendall(b" ")
            time.sleep(0.02)
    except (BrokenPipeError, ConnectionResetError):
        print("closed")


def hold(path, count, ready):
    clients = [Client(path) for _ in range(count)]
    pathlib.Path(ready).touch()
    sys.stdin.read()
    del clients


def stay(path, parameters, ready):
    client = Client(path)
    pathlib.Path(ready).touch()
    sys.stdin.read()
    print(json.dumps(client.call(EXTEND, json.loads(parameters))))


def main(path, what, *args):
    if what == "call":
        print(json.dumps(Client(path).call(args[0], json.loads(args[1]))))
    elif what in ("extend", "pipeline"):
        extend(path, json.loads(args[0]), int(args[1]), what == "pipeline")
    elif what == "raw":
        raw(path, args[0])
    elif what == "fill":
        fill(path)
    elif what == "slow":
        slow(path)
    elif what == "hold":
        hold(path, int(args[0]), args[1])
    elif what == "stay":
        stay(path, args[0], args[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
