# id: os-execv
# title: os.execv starts no process
# level: L1
# class: host-processes
# expect: python OSError AttributeError ModuleNotFoundError TypeError
# control: none plain Pyodide has no processes either

import os
os.execv("/bin/sh", ["sh"])
