# id: function-by-constructor
# title: no object has a constructor that leads to Function
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: leak

from js import JSON
JSON.stringify.constructor.constructor('return process.env.BRUMATE_CANARY')()
