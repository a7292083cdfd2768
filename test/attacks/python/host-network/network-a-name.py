# id: network-a-name
# title: looking up a host name fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.getaddrinfo("localhost", PORT)
