# id: integers-without-end
# title: integers, texts and reprs larger than memory end in a typed error
# level: L1
# class: memory
# expect: any
# control: none the claim is the bound
# limits: {"memoryBytes":67108864}
# timeout-ms: 8000

for code in ("1 << (2**31 - 8)", "'x' * 2**31", "repr('\\0' * 2**29)", "'{:>2147483000}'.format(1)", "b'x' * (2**31 - 100)", "[None] * 2**29", "bytes(2**31 - 1)", "list(range(2**30))", "'%*d' % (2**31 - 1, 1)", "int('9' * 10**7)"):
    try: eval(code)
    except (MemoryError, OverflowError, ValueError): pass
print('on')
