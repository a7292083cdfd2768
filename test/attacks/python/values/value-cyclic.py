# id: value-cyclic
# title: a value that contains itself does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim

x = []
x.append(x)
x
