# id: read-by-dev-fd
# title: /dev/fd does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
[open(f"/dev/fd/{fd}").read() for fd in range(3, 40)]
