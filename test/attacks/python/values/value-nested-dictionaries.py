# id: value-nested-dictionaries
# title: a value of dictionaries nested as deep as allowed does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim

x = {}
for _ in range(5000): x = {'a': x}
x
