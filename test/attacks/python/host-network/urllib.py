# id: urllib
# title: urllib opens no connection
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: connection

import urllib.request
urllib.request.urlopen(f'http://127.0.0.1:{PORT}/').read()
