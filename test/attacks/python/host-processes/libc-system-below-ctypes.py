# id: libc-system-below-ctypes
# title: libc’s system cannot be called through the module below ctypes
# level: L1
# class: host-processes
# expect: any
# control: pyodide
# evidence: marker

import _ctypes
_ctypes.call_cdeclfunction(_ctypes.dlsym(_ctypes.dlopen(None, 0), 'system'), (f'echo > {MARKER}'.encode(),))
