# id: signal-for-the-group
# title: a signal for the group reaches nobody else
# level: L1
# class: host-processes
# expect: any
# control: none plain Pyodide sends no signals either

import os
os.kill(0, 9)
