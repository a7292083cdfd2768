# id: arguments-nested
# title: callback arguments that are deeply nested or oddly named are an error
# level: L1
# class: host-calls
# expect: any
# control: none the claim is a typed end

import brumate
x = {}
for _ in range(2000): x = {'a': x}
for arguments in ({'x': x}, {'__proto__': {'polluted': 1}}, {'constructor': {'prototype': {'polluted': 1}}}, {'x' * 100_000: 1}, {'x': float('nan')}):
    try: brumate.call_sync('echo', **arguments)
    except Exception as error: print(type(error).__name__)
