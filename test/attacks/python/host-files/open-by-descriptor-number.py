# id: open-by-descriptor-number
# title: a descriptor number that was never opened is invalid
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide does not give it either
# evidence: reached

import os
found = []
for fd in [*range(3, 3000), 2**20, 2**30, 2**31 - 1, -1, -2, -100]:
    for look in (os.fstat, lambda fd: os.read(fd, 1), lambda fd: os.lseek(fd, 0, 1), os.dup):
        try:
            look(fd)
            found.append(f'reached {fd}')
        except (OSError, OverflowError):
            pass
found
