# id: devices
# title: only the listed devices can be opened
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide does not give it either
# evidence: reached

import os
found = []
for name in ('mem', 'kmem', 'sda', 'tty0', 'ptmx', 'fuse', 'kvm', 'net/tun', 'console', 'kmsg', 'input/event0', 'port', 'random0', 'shm/../mem'):
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT):
        try:
            fd = os.open('/dev/' + name, flags)
        except OSError:
            continue
        if os.read(fd, 16):
            found.append(f'reached {name}')
        os.close(fd)
found
