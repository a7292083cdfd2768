# id: read-by-proc-self-root
# title: /proc/self/root does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
open("/proc/self/root" + SECRET).read()
