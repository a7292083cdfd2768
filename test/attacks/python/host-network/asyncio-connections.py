# id: asyncio-connections
# title: asyncio opens no connection, server or pipe
# level: L1
# class: host-network
# expect: any
# control: none plain Pyodide does not give it either
# evidence: connection

import asyncio
for make in (
    lambda: asyncio.open_connection('127.0.0.1', PORT),
    lambda: asyncio.start_server(lambda *_: None, '127.0.0.1', 0),
    lambda: asyncio.create_subprocess_shell('true'),
    lambda: asyncio.get_running_loop().run_in_executor(None, print),
    lambda: asyncio.get_running_loop().getaddrinfo('localhost', PORT),
):
    try: await asyncio.wait_for(make(), 0.2)
    except BaseException: pass
