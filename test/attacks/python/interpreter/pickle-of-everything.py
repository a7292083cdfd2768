# id: pickle-of-everything
# title: pickles that call any function reach nothing of the host
# level: L1
# class: interpreter
# expect: any
# control: pyodide
# evidence: marker

import pickle
for function, argument in (('posix\nsystem', f'echo > {MARKER}'), ('builtins\nopen', SECRET), ('subprocess\nPopen', 'ls'), ('builtins\neval', '().__class__.__base__.__subclasses__()')):
    try: pickle.loads(f"c{function}\n(V{argument}\ntR.".encode())
    except Exception: pass
