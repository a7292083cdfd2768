# id: javascript-stack-text
# title: no error shows where the host’s JavaScript is
# level: L1
# class: host-facts
# expect: any
# control: pyodide
# evidence: leak

import js
try:
    js.eval('throw new Error()')
except Exception as error:
    shown = error.stack
shown
