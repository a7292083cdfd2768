# id: mount-node-fs
# title: mountNodeFS mounts no directory of the host
# level: L1
# class: host-files
# expect: any
# control: pyodide
# evidence: leak

import pyodide_js
pyodide_js.mountNodeFS('/host', DIRECTORY)
open('/host/secret.txt').read()
