# id: door-raw-bytes
# title: garbage written to the descriptor for blocking calls is an error or ends the interpreter
# level: L1
# class: interpreter
# expect: any
# control: none garbage is no call

import os, random
random.seed(3)
for _ in range(300):
    try: os.write(0x3FFFFFFF, random.randbytes(random.randrange(200)))
    except OSError: pass
