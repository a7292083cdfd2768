# id: memory-taken-again
# title: memory that was freed can be used again, up to the same limit
# level: L1
# class: memory
# expect: result 'given back'
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 15000

x = []
while True: x.append(bytes(8000))
# %%
x = None
# %%
x = []
while True: x.append(bytes(8000))
# %%
x = None
'given back'
