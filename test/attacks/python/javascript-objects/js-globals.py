# id: js-globals
# title: there is no module js with the main thread’s globals
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: leak

import js
js.canary
