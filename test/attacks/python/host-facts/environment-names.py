# id: environment-names
# title: the environment has the session’s variables, and none of the process
# level: L1
# class: host-facts
# expect: result ['HOME', 'LANG', 'MINE', 'PATH', 'USER']
# control: none it lists what there is
# env: {"MINE":"yes"}

import os; sorted(os.environ)
