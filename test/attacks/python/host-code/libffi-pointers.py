# id: libffi-pointers
# title: a call through libffi of an invented address at most ends the interpreter
# level: L1
# class: host-code
# expect: any
# control: none function-by-address-5 shows that such calls are made
# prelude: forged-memory

import _ctypes
for address in (1, 2, 3, 64, 4096, 0x7fffffff):
    for arguments in ((), (1,), (1, 2), (b'x', -1), (2**31, 1.5)):
        try:
            _ctypes.call_function(address, arguments)
        except Exception:
            pass
