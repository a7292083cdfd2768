# id: names-without-end
# title: making links with long names in an endless loop stops with an error or a timeout
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
