# id: os-spawnv
# title: os.spawnv starts no process
# level: L1
# class: host-processes
# expect: python OSError AttributeError ModuleNotFoundError TypeError
# control: none plain Pyodide has no processes either

import os
os.spawnv(os.P_WAIT, "/bin/sh", ["sh"])
