# id: os-system
# title: os.system runs nothing
# level: L1
# class: host-processes
# expect: any
# control: pyodide
# evidence: marker

import os
os.system(f'echo > {MARKER}')
