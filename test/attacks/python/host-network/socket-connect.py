# id: socket-connect
# title: a socket connects to nothing
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: connection

import asyncio, socket
connection = socket.socket()
connection.setblocking(False)
connection.connect_ex(('127.0.0.1', PORT))
await asyncio.sleep(0.3)
