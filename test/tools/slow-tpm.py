#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""slow-tpm.py SOCKET UPSTREAM MS - stand between QEMU and a software TPM, and take one's time

QEMU connects to SOCKET, swtpm listens at UPSTREAM. QEMU hands over a socket for commands;
swtpm is given another one, and what comes through is held up MS milliseconds for each
command: from TPM2_GetTestResult on until TPM2_ReadClock, which nobody sends but the guest's
scripts for just this. So the firmware, the kernel and the tools at the end are not slow.
"""

import os
import select
import socket
import struct
import sys
import time

SLOWER, QUICKER = 0x17C, 0x181


class Relay:
    """One QEMU, one swtpm."""

    def __init__(self, qemu, swtpm, delay):
        self.control = (qemu, swtpm)
        self.delay = delay
        self.slow = False
        self.commands = self.answers = None

    def to_swtpm(self):
        """From QEMU's control channel; the socket that may come with it is kept."""
        data, fds, _, _ = socket.recv_fds(self.control[0], 65536, 1)
        if fds:
            self.commands = socket.socket(fileno=fds[0])
            self.answers, theirs = socket.socketpair()
            socket.send_fds(self.control[1], [data], [theirs.fileno()])
            theirs.close()
        elif data:
            self.control[1].sendall(data)
        return data

    def command(self):
        data = self.commands.recv(65536)
        if len(data) >= 10:
            code = struct.unpack(">I", data[6:10])[0]
            self.slow = (self.slow or code == SLOWER) and code != QUICKER
        if self.slow:
            time.sleep(self.delay)
        self.answers.sendall(data)
        return data

    @staticmethod
    def forward(source, target):
        data = source.recv(65536)
        target.sendall(data)
        return data

    def run(self):
        """Until either side goes away."""
        while True:
            steps = {self.control[0]: self.to_swtpm,
                     self.control[1]: lambda: self.forward(*reversed(self.control))}
            if self.commands:
                steps[self.commands] = self.command
                steps[self.answers] = lambda: self.forward(self.answers, self.commands)
            for readable in select.select(list(steps), [], [])[0]:
                if not steps[readable]():
                    return


def main():
    path, upstream, delay = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        qemu, _ = listener.accept()
    os.unlink(path)
    with qemu, socket.socket(socket.AF_UNIX) as swtpm:
        swtpm.connect(upstream)
        Relay(qemu, swtpm, int(delay) / 1000).run()


if len(sys.argv) != 4:
    sys.exit(__doc__)
main()
