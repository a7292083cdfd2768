# id: run-script
# title: emscripten_run_script evaluates nothing through ctypes
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: marker

import ctypes
ctypes.CDLL(None).emscripten_run_script(f"process.getBuiltinModule('fs').writeFileSync('{MARKER}', '')".encode())
