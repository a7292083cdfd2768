# id: network-socket-socketpair
# title: socket.socketpair fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.socketpair()
