# id: network-the-metadata-service
# title: asking a cloud’s metadata service fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
import urllib.request; urllib.request.urlopen("http://169.254.169.254/")
