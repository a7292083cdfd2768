// A process that only runs one line of Python in a plain Pyodide, as quickly as possible.
import { loadPyodide } from 'pyodide'

const pyodide = await loadPyodide()
if (pyodide.runPython('1 + 1') !== 2) process.exitCode = 1
