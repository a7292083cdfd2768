# id: ctypes-callback
# title: Python cannot give C code a function to call
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: reached

import ctypes
ctypes.CFUNCTYPE(ctypes.py_object)(lambda: 'reach' + 'ed')()
