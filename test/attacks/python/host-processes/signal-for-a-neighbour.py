# id: signal-for-a-neighbour
# title: a signal for a neighbour reaches nobody else
# level: L1
# class: host-processes
# expect: any
# control: none plain Pyodide sends no signals either

import os
os.kill(os.getpid() + 1, 9)
