# id: network-http-client
# title: http.client fails before anything is sent
# level: L1
# class: host-network
# expect: python
# control: none plain Pyodide on Node has no such socket either

import socket
import http.client; http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/")
