# id: root-directory
# title: the tree has no /proc, /etc or /sys
# level: L1
# class: host-files
# expect: result ['dev', 'home', 'lib', 'tmp']
# control: none it lists what there is

import os
sorted(os.listdir("/"))
