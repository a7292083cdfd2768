# id: ctypes-callback
# title: C code is given no function of Python’s to call
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: reached

import ctypes
ctypes.CFUNCTYPE(ctypes.py_object)(lambda: 'reach' + 'ed')()
