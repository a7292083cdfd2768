# id: names-without-end
# title: a flood of names, attributes and times of files is an error or ends
# level: L1
# class: file-quota
# expect: python OSError AttributeError | timeout
# control: outcome
# timeout-ms: 8000

import itertools, os
os.makedirs('/tmp/d')
for n in itertools.count():
    open('/tmp/d/x', 'w').close()
    os.link('/tmp/d/x', f'/tmp/d/{n:0200}')
