# id: js-process
# title: there is no module js with a process in it
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: leak

import js
js.process.env.BRUMATE_CANARY
