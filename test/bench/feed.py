#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""feed.py ROOT N - activate N devices in the recorded system below ROOT and announce each

All devices are there before the first is announced, so that the daemon is never kept waiting.
Ends when the log has a record of each.
"""
import hashlib
import os
import pathlib
import socket
import sys
import time

TABLE = ("0 2097152 verity 1 7:{n} 7:{n} 4096 4096 262144 262145 sha256 {root_hash} "
         "aee087a5be3b982978c923f566a94613496b417f2af592639bc80d141e34dfe7\n")


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def make(root, n):
    device = f"{root}/sys/devices/virtual/block/dm-{n}"
    os.makedirs(f"{device}/dm")
    write(f"{device}/dev", f"253:{n}\n")
    write(f"{device}/diskseq", f"{n + 100}\n")
    write(f"{device}/dm/name", f"extension-{n}\n")
    write(f"{device}/dm/uuid", f"CRYPT-VERITY-{n:032x}-extension-{n}\n")
    os.symlink(f"../devices/virtual/block/dm-{n}", f"{root}/sys/block/dm-{n}")
    os.symlink(f"../../devices/virtual/block/dm-{n}", f"{root}/sys/dev/block/253:{n}")
    root_hash = hashlib.sha256(str(n).encode()).hexdigest()
    write(f"{root}/dev/mapper/extension-{n}", TABLE.format(n=n, root_hash=root_hash))


def uevent(n):
    path = f"/devices/virtual/block/dm-{n}"
    lines = [f"change@{path}", "ACTION=change", f"DEVPATH={path}", "SUBSYSTEM=block",
             "MAJOR=253", f"MINOR={n}", f"DEVNAME=dm-{n}", "DEVTYPE=disk",
             f"DISKSEQ={n + 100}", "SEQNUM=4711"]
    return "".join(line + "\0" for line in lines).encode()


def count(log):
    return log.read_bytes().count(b'"dm-verity"')


def main(root, number):
    log = pathlib.Path(root, "run/log/veritally/measure.log")
    for n in range(number):
        make(root, n)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(f"{root}/run/veritally/uevent")
        for n in range(number):
            s.send(uevent(n))
    deadline = time.monotonic() + 120
    while count(log) < number:
        if time.monotonic() > deadline:
            sys.exit(f"feed.py: {count(log)} of {number} measured")
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
