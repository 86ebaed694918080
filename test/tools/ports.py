#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Print the first of two neighbouring TCP ports that are free on 127.0.0.1."""
import socket

while True:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            second.bind(("127.0.0.1", port + 1))
        except (OSError, OverflowError):
            continue
        print(port)
        break
