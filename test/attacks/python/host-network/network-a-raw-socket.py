# id: network-a-raw-socket
# title: a raw socket fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.socket(socket.AF_INET, socket.SOCK_RAW)
