# id: objects-of-the-collector
# title: emptying every object that the garbage collector tracks harms only its own session
# level: L1
# class: interpreter
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 3000
# recover: true

import gc, sys
gc.unfreeze()
for each in gc.get_objects():
    try:
        if type(each) in (dict, list, set) and each is not globals(): each.clear()
    except BaseException: pass
