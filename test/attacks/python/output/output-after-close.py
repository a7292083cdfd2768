# id: output-after-close
# title: closing, duplicating and swapping the output’s descriptors harms only its own session
# level: L1
# class: output
# expect: any
# control: none it asks for nothing that is refused
# timeout-ms: 3000
# recover: true

import os
for _ in range(1000):
    one = os.dup(1)
    os.dup2(2, 1)
    os.dup2(one, 1)
    os.close(one)
os.close(2)
os.dup2(1, 2)
r, w = os.pipe()
os.dup2(w, 1)
print('x' * 100, flush=True)
