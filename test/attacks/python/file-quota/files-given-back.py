# id: files-given-back
# title: file bytes that were freed can be used again, and no more than those
# level: L1
# class: file-quota
# expect: result True
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import os
def fill():
    with open('/tmp/x', 'wb') as f:
        try:
            while True:
                f.write(bytes(2**20))
                f.flush()
        except OSError:
            return f.tell() >> 20
# %%
a = fill(); os.unlink('/tmp/x')
# %%
b = fill(); os.truncate('/tmp/x', 0)
# %%
a == b == fill()
