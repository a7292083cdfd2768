# id: sparse-files
# title: holes of sparse files count towards the limit, and take no memory
# level: L1
# class: file-quota
# expect: python OSError | timeout
# control: outcome
# timeout-ms: 8000

import os
for n in range(100_000):
    with open(f'/tmp/{n}', 'wb') as file:
        file.seek(2**30)
        file.write(b'x')
