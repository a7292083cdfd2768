# id: value-nested-dictionaries
# title: dictionaries nested as deep as they may be
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim

x = {}
for _ in range(5000): x = {'a': x}
x
