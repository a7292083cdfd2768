# id: read-by-a-symbolic-link
# title: a symbolic link does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
os.symlink(SECRET, "/tmp/link"); open("/tmp/link").read()
