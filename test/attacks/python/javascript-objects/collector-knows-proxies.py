# id: collector-knows-proxies
# title: the garbage collector tracks no JavaScript object
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: reached

import gc
gc.unfreeze()
['reached' for each in gc.get_objects() if 'JsProxy' in type(each).__name__]
