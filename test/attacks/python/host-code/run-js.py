# id: run-js
# title: run_js evaluates nothing
# level: L1
# class: host-code
# expect: any
# control: pyodide
# evidence: leak

from pyodide.code import run_js
run_js('process.env.BRUMATE_CANARY')
