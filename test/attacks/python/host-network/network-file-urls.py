# id: network-file-urls
# title: opening file URLs fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
import urllib.request; urllib.request.urlopen("file:///etc/passwd").read()
