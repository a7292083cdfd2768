# id: read-by-a-path-that-climbs
# title: a path that climbs does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
open("../" * 40 + SECRET[1:]).read()
