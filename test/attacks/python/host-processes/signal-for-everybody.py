# id: signal-for-everybody
# title: a signal for everybody reaches nobody else
# level: L1
# class: host-processes
# expect: any
# control: none plain Pyodide sends no signals either

import os
os.kill(-1, 9)
