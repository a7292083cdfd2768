# id: fs-mount
# title: FS.mount mounts no directory of the host
# level: L1
# class: host-files
# expect: any
# control: pyodide
# evidence: leak

import js, os, pyodide_js
os.makedirs('/mounted', exist_ok=True)
root = js.Object.fromEntries([['root', DIRECTORY]])
pyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, root, '/mounted')
open('/mounted/secret.txt').read()
