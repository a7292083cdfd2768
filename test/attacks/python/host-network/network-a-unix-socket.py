# id: network-a-unix-socket
# title: a Unix socket fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
