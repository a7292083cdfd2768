# id: read-by-an-absolute-path
# title: an absolute path does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
open(SECRET).read()
