# id: read-by-a-password-database
# title: a password database does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
import pwd; pwd.getpwuid(0)
