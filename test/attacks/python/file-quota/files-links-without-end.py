# id: files-links-without-end
# title: making links in an endless loop stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import os, itertools
for i in itertools.count(): os.symlink('x' * 4000, f'/tmp/{i}')
