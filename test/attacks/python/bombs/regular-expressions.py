# id: regular-expressions
# title: patterns that take long to compile or to match end in a result or a typed error
# level: L1
# class: bombs
# expect: any
# control: none the claim is a typed end
# timeout-ms: 300

import re
for pattern, text in (('(?:a{0,60000}){0,60000}', 'a' * 99), ('(' * 90 + ')' * 90, ''), ('[' + ''.join(chr(n) for n in range(1000, 60000, 2)) + ']', 'x'), ('(?=' * 50 + ')' * 50, 'x'), ('(a|aa|aaa)+$', 'a' * 99 + 'b')):
    try: re.search(pattern, text)
    except (re.error, OverflowError, RecursionError, MemoryError): pass
print('on')
