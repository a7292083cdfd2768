# id: signal-for-the-parent
# title: a signal for the parent reaches nobody else
# level: L1
# class: host-processes
# expect: any
# control: none plain Pyodide sends no signals either

import os
os.kill(os.getppid(), 9)
