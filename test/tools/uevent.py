#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""uevent.py SOCKET ACTION MINOR DISKSEQ [UID] - announce a mapped device as the kernel would

A DISKSEQ of - leaves it out. With UID the sender is that user.
uevent.py SOCKET raw TEXT - send TEXT, in which | stands for NUL
"""
import os
import socket
import sys

path, action = sys.argv[1:3]
if action == "raw":
    datagram = sys.argv[3].replace("|", "\0").encode()
else:
    minor, diskseq = sys.argv[3:5]
    devpath = f"/devices/virtual/block/dm-{minor}"
    keys = {
        "ACTION": action,
        "DEVPATH": devpath,
        "SUBSYSTEM": "block",
        "MAJOR": "253",
        "MINOR": minor,
        "DEVNAME": f"dm-{minor}",
        "DEVTYPE": "disk",
    }
    if diskseq != "-":
        keys["DISKSEQ"] = diskseq
    keys["SEQNUM"] = "4711"
    lines = [f"{action}@{devpath}"] + [f"{key}={value}" for key, value in keys.items()]
    datagram = "".join(line + "\0" for line in lines).encode()

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.connect(path)
    if len(sys.argv) > 5:
        os.setuid(int(sys.argv[5]))
    s.send(datagram)
