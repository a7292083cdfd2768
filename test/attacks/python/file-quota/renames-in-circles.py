# id: renames-in-circles
# title: moving directories into each other and out again ends in a result or a typed error
# level: L1
# class: file-quota
# expect: any
# control: none the claim is a typed end
# timeout-ms: 5000

import os
for n in range(500):
    os.makedirs('/tmp/a/b/c', exist_ok=True)
    for old, new in (('/tmp/a', '/tmp/a/b/c/d'), ('/tmp', '/tmp/a'), ('/', '/tmp/a'), ('/tmp/a/b', '/tmp/b'), ('/tmp/b', '/tmp/a/b'), ('.', '/tmp/x'), ('/dev/null', '/tmp/n'), ('/tmp/a', '/dev/a')):
        try: os.rename(old, new)
        except OSError: pass
