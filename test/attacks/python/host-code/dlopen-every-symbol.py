# id: dlopen-every-symbol
# title: no symbol of the module can be looked up and called
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: reached

import _ctypes
found = []
for name in ('emscripten_run_script_string', 'emscripten_run_script_int', 'emscripten_asm_const_int', 'system', 'popen', 'execve', 'fork', 'dlopen', 'emscripten_fetch', 'emscripten_websocket_new', 'hiwire_get', 'JsvFunction_Construct', 'pyodide_js_init'):
    try:
        _ctypes.dlsym(_ctypes.dlopen(None, 0), name)
        found.append(f'reached {name}')
    except BaseException:
        pass
found
