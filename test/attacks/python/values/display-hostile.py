# id: display-hostile
# title: rich displays that are huge, not text, or raise end in a result or a typed error
# level: L1
# class: values
# expect: any
# control: none the claim is a typed end

class A:
    def _repr_html_(self): return '<b>' * 5_000_000
    def _repr_png_(self): return 'no bytes'
    def _repr_json_(self): return self
    def _repr_mimebundle_(self, **_): return {'__proto__': 'x', 5: 6, 'x' * 100_000: 'y'}
    def __repr__(self): return '\ud800\0'
A()
