# id: files-a-circle-of-links
# title: symbolic links that point to each other: an error, not an endless search
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# timeout-ms: 15000

import os
os.symlink('/tmp/a', '/tmp/b'); os.symlink('/tmp/b', '/tmp/a'); open('/tmp/a')
