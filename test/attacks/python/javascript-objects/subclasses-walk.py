# id: subclasses-walk
# title: no subclass of object leads to JavaScript
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: reached

import gc
gc.unfreeze()
seen, todo = set(), [object]
while todo:
    each = todo.pop()
    for sub in type.__subclasses__(each):
        if sub not in seen:
            seen.add(sub)
            todo.append(sub)
['reached' for each in seen if each.__name__.startswith('Js') or 'pyodide' in each.__module__ and 'ffi' in each.__module__]
