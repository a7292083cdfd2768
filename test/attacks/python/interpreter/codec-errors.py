# id: codec-errors
# title: codecs, error handlers and import hooks that raise harm only their own session
# level: L1
# class: interpreter
# expect: any
# control: none it breaks what it runs on
# recover: true

import builtins, codecs, sys
def bad(*_): raise KeyboardInterrupt
codecs.register(bad)
for name in ('strict', 'replace', 'surrogateescape', 'backslashreplace'): codecs.register_error(name, bad)
builtins.__import__ = bad
sys.meta_path.insert(0, type('F', (), {'find_spec': bad})())
sys.path_hooks.insert(0, bad)
sys.unraisablehook = sys.excepthook = sys.displayhook = bad
'\ud800'
