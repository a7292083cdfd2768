# id: signal-for-process-1
# title: a signal for process 1 reaches nobody else
# level: L1
# class: host-processes
# expect: any
# control: none plain Pyodide sends no signals either

import os
os.kill(1, 9)
