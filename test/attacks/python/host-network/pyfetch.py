# id: pyfetch
# title: fetch opens no connection
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: connection

from pyodide.http import pyfetch
await pyfetch(f'http://127.0.0.1:{PORT}/')
