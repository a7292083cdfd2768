// A process that does nothing but run one line of Python in a plain Pyodide, as quickly as it can.
import { loadPyodide } from 'pyodide'

const pyodide = await loadPyodide()
if (pyodide.runPython('1 + 1') !== 2) process.exitCode = 1
