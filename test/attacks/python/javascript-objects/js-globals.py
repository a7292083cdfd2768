# id: js-globals
# title: there is no module js with the globals of main in it
# level: L1
# class: javascript-objects
# expect: any
# control: pyodide
# evidence: leak

import js
js.canary
