# id: ioctls
# title: no request of ioctl or fcntl reaches a descriptor of the host
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide does not give it either
# evidence: reached

import fcntl, os
found = []
for fd in range(0, 12):
    for request in (0x5401, 0x5413, 0x541B, 0x5412, 0x5421, 0x8910, 0x12345678, -1):
        try:
            answer = fcntl.ioctl(fd, request, bytes(64))
            if any(answer): found.append(f'reached {fd} {request}')
        except OSError:
            pass
    for command in range(0, 1040):
        if command in (0, 1030): continue
        try:
            fcntl.fcntl(fd, command, 0)
        except OSError:
            pass
found
