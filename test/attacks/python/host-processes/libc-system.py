# id: libc-system
# title: libc’s system is not to be had through ctypes
# level: L1
# class: host-processes
# expect: any
# control: pyodide
# evidence: marker

import ctypes
ctypes.CDLL(None).system(f'echo > {MARKER}'.encode())
