# id: frames-walk
# title: no frame below the user’s holds an object of the host
# level: L1
# class: javascript-objects
# expect: any
# control: none plain Pyodide keeps its proxies elsewhere; collector-knows-proxies finds those
# evidence: reached

import sys
found, frame = [], sys._getframe()
while frame:
    for scope in (frame.f_globals, frame.f_locals, frame.f_builtins):
        found += ['reached' for each in list(scope.values()) if type(each).__name__ in ('JsProxy', 'JsDoubleProxy', 'JsModule')]
    frame = frame.f_back
found
