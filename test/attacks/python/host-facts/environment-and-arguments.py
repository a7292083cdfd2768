# id: environment-and-arguments
# title: environment and arguments name no path of the host
# level: L1
# class: host-facts
# expect: any
# control: pyodide
# evidence: leak

import os, sys
[dict(os.environ), sys.argv, sys.orig_argv, sys.executable, sys.path, os.getcwd(), __name__, str(os.uname())]
