# id: read-by-a-link-to-the-root
# title: a link to the root does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
os.symlink("/..", "/tmp/up"); open("/tmp/up" + SECRET).read()
