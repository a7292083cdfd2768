# id: error-without-end
# title: an exception with huge text, notes and cause is a typed error
# level: L1
# class: values
# expect: error
# control: outcome
# timeout-ms: 8000

error = ValueError('x' * 50_000_000)
for n in range(1000): error.add_note('y' * 10_000)
error.__cause__ = ExceptionGroup('z' * 1_000_000, [error.__class__('w')] * 1000)
raise error
