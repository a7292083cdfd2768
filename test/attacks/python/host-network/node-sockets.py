# id: node-sockets
# title: Pyodide’s sockets for Node do not exist
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: reached

import pyodide_js
'reached' if pyodide_js._api.initializeNodeSockFS else ''
