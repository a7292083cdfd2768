# id: value-hostile-classes
# title: values whose classes lie about length, items and hash end in a result or a typed error
# level: L1
# class: values
# expect: any
# control: none the claim is a typed end

class L(list):
    def __len__(self): return 2**31
    def __iter__(self): return iter([1])
class D(dict):
    def items(self): raise KeyboardInterrupt
    def keys(self): return ['__proto__']
class S(str):
    def encode(self, *_): return b'\xff'
class I(int):
    def to_bytes(self, *_): return b''
    def bit_length(self): return 2**40
[L([1, 2]), D(a=1), S('x'), I(5), float('nan'), -0.0, 2**53 + 1]
