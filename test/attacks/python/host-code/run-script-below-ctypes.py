# id: run-script-below-ctypes
# title: emscripten_run_script evaluates nothing through the module below ctypes
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: marker

import _ctypes
run = _ctypes.dlsym(_ctypes.dlopen(None, 0), 'emscripten_run_script')
_ctypes.call_cdeclfunction(run, (f"process.getBuiltinModule('fs').writeFileSync('{MARKER}', '')".encode(),))
