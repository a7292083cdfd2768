# id: posixsubprocess
# title: _posixsubprocess starts no process
# level: L1
# class: host-processes
# expect: python OSError AttributeError ModuleNotFoundError TypeError
# control: none plain Pyodide has no processes either

import os
import _posixsubprocess; _posixsubprocess.fork_exec()
