# id: os-posix-spawn
# title: os.posix_spawn starts no process
# level: L1
# class: host-processes
# expect: python OSError AttributeError ModuleNotFoundError TypeError
# control: none plain Pyodide has no processes either

import os
os.posix_spawn("/bin/sh", ["sh"], {})
