# id: error-odd-names
# title: exceptions with odd class names are Python errors
# level: L1
# class: values
# expect: python
# control: outcome

raise type('__proto__\x1b[2J\n' * 5, (Exception,), {'__module__': 5, '__qualname__': 'constructor'})('\ud800\0\x1b[31m')
