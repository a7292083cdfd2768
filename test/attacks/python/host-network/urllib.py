# id: urllib
# title: urllib calls nobody
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: connection

import urllib.request
urllib.request.urlopen(f'http://127.0.0.1:{PORT}/').read()
