# id: odd-paths
# title: paths that are too long, not text or empty end in a typed error
# level: L1
# class: file-quota
# expect: any
# control: none the claim is a typed end

import os
for path in ('', '\udcff' * 100, 'x' * 5000, '/' * 10_000, '../' * 3000, 'a/' * 2000, '\udc80/..', '//', '/dev/../dev/./null/..', '/tmp/\n\x1b[2J', '/lib/../..', '.', '..'):
    for call in (os.stat, os.mkdir, os.listdir, os.readlink, os.rmdir, os.unlink, lambda p: open(p, 'w'), lambda p: os.symlink(p, p), lambda p: os.chdir(p), lambda p: os.statvfs(p), lambda p: os.utime(p, (-1e18, 1e18)), lambda p: os.chmod(p, -1), lambda p: os.truncate(p, 2**62)):
        try: call(path)
        except (OSError, ValueError, OverflowError, TypeError): pass
os.chdir('/home/pyodide')
print('on')
