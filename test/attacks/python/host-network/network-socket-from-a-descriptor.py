# id: network-socket-from-a-descriptor
# title: a socket made from a descriptor fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.socket(fileno=0).connect(("127.0.0.1", PORT))
