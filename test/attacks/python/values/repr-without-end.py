# id: repr-without-end
# title: a repr of 200 MB ends in a result or a typed error
# level: L1
# class: values
# expect: any
# control: none the claim is a typed end

class A:
    def __repr__(self): return 'x' * 200_000_000
A()
