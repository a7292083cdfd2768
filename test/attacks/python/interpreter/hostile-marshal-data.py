# id: hostile-marshal-data
# title: code objects loaded from hostile marshal data harm at most their own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode

import marshal, random
random.seed(7)
good = marshal.dumps(compile('a = [b for b in c]; d(*e)', '', 'exec'))
for attempt in range(2000):
    bad = bytearray(good)
    for _ in range(3):
        bad[random.randrange(len(bad))] = random.randrange(256)
    try:
        exec(marshal.loads(bytes(bad)), {'c': [1], 'd': print, 'e': []})
    except BaseException:
        pass
raise RuntimeError('all survived')
