# id: finder-keeps-proxies
# title: no import finder keeps what was removed from sys.modules
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: leak

import sys
for name in ('js', 'pyodide_js'):
    sys.modules.pop(name, None)
[finder.jsproxies['js'].process.env.BRUMATE_CANARY for finder in sys.meta_path if hasattr(finder, 'jsproxies')]
