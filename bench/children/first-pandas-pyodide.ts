// Same as first-pandas.ts, in a plain Pyodide. Argument: a directory of wheels with `pyodide-lock.json`.
import { loadPyodideWith } from '../baselines/pyodide-packages.js'

const pyodide = await loadPyodideWith({ directory: process.argv[2] ?? '', names: ['pandas'] })
const code = "import pandas as pd\nint(pd.DataFrame({'a': [1, 2, 3]}).sum().iloc[0])"
process.exit(pyodide.runPython(code) === 6 ? 0 : 1)
