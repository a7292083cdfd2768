# id: stdin
# title: descriptor 0 is not the host’s standard input
# level: L1
# class: host-files
# expect: any
# control: pyodide
# evidence: leak

import sys
sys.stdin.readline()
