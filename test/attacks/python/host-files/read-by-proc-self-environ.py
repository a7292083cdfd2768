# id: read-by-proc-self-environ
# title: /proc/self/environ does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
open("/proc/self/environ").read()
