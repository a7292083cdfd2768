# id: thread
# title: a thread is refused
# level: L1
# class: host-processes
# expect: python RuntimeError
# control: none plain Pyodide has no threads either

import _thread
_thread.start_new_thread(print, ())
