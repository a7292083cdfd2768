# id: other-file-systems
# title: Emscripten’s other file systems do not exist
# level: L1
# class: host-files
# expect: any
# control: pyodide
# evidence: reached

import pyodide_js
['reached' for name in ('WORKERFS', 'PROXYFS', 'IDBFS') if hasattr(pyodide_js.FS.filesystems, name)]
