# id: every-socket-family
# title: no family, type or protocol of socket connects
# level: L1
# class: host-network
# expect: any
# control: pyodide
# evidence: connection

import asyncio, socket
for family in range(0, 46):
    for kind in range(0, 6):
        for protocol in (0, 6, 17):
            try:
                one = socket.socket(family, kind, protocol)
                one.setblocking(False)
                one.connect_ex(('127.0.0.1', PORT))
                one.send(b'x')
            except (OSError, TypeError): pass
await asyncio.sleep(0.05)
