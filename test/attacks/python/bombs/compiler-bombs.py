# id: compiler-bombs
# title: sources that take the compiler much time or memory end in a result or a typed error
# level: L1
# class: bombs
# expect: any
# control: none the claim is a typed end
# timeout-ms: 20000

for source in ('lambda: ' * 2000 + '0', 'f' * 10**5, '[' * 190 + ']' * 190, 'x = ' + '{' * 99 + '}' * 99, 'if 1:\n' + ''.join(' ' * n + 'if 1:\n' for n in range(1, 99)) + ' ' * 99 + 'pass', 'f"' + '{f' * 100, '0x' + 'f' * 10**5, '"' + '\\N{DIGIT ONE}' * 10**4 + '"', 'class A: pass\n' * 10**4, 'a=' * 10**4 + '0', 'match x:\n' + ''.join(f' case [{n}, *_]: pass\n' for n in range(10**3)), '(' + '1 if 1 else ' * 3000 + '1)'):
    try: compile(source, 'x', 'exec')
    except (SyntaxError, MemoryError, RecursionError, OverflowError): pass
print('on')
