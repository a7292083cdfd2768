# id: proc
# title: there is no /proc that describes the process
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide does not give it either
# evidence: reached

import os
found = []
for name in ('self/maps', 'self/mem', 'self/cmdline', 'self/exe', 'self/cwd', 'self/status', '1/environ', 'cpuinfo', 'mounts', 'self/task', 'self/fd/0', 'thread-self', 'version', 'sys/kernel/hostname'):
    try:
        found.append('reached ' + (open('/proc/' + name, 'rb').read(64) or b'-').decode('latin-1'))
    except OSError:
        pass
found
