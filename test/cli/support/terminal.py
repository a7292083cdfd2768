"""Runs a program in a pseudo-terminal: what comes on standard input is typed, what the terminal shows goes to standard output."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
sources = [terminal, 0]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # The program has ended.
            data = b""
        if source == 0:
            # Nobody types any more: hang up.
            if not data:
                os.kill(pid, 1)
                sources.remove(0)
            else:
                os.write(terminal, data)
        elif data:
            os.write(1, data)
        else:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
