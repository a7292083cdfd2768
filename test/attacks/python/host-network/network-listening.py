# id: network-listening
# title: listening fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.create_server(("127.0.0.1", 0))
