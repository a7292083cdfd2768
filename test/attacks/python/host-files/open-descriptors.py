# id: open-descriptors
# title: descriptors 0 to 2 are open, no others, and none is a terminal
# level: L1
# class: host-files
# expect: result [(0, False), (1, False), (2, False)]
# control: none it lists what there is

import os
def kind(fd):
    try:
        os.fstat(fd)
        return os.isatty(fd)
    except OSError:
        return None
[(fd, kind(fd)) for fd in range(2048) if kind(fd) is not None]
