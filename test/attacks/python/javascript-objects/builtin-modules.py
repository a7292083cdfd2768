# id: builtin-modules
# title: no built-in module of Pyodide’s JavaScript bridge works
# level: L1
# class: javascript-objects
# expect: any
# control: none plain Pyodide’s own modules are there, and js-process shows them
# evidence: reached

import _imp, importlib.machinery, sys
found = []
for name in ('js', 'pyodide_js', '_pyodide_core', '_pyodide', 'pyodide', 'pyodide.ffi', '_emscripten'):
    try:
        spec = importlib.machinery.ModuleSpec(name, importlib.machinery.BuiltinImporter)
        module = _imp.create_builtin(spec)
        _imp.exec_builtin(module)
    except BaseException:
        continue
    found += [f'reached {name}.{each}' for each in dir(module) if 'js' in each.lower() and callable(getattr(module, each))]
found
