# id: libc-system
# title: libc’s system cannot be called through ctypes
# level: L1
# class: host-processes
# expect: any
# control: pyodide
# evidence: marker

import ctypes
ctypes.CDLL(None).system(f'echo > {MARKER}'.encode())
