// Runs a Python program in stock Pyodide, with wheels, in a process of its own. The parent sends `urls` of wheels, `globals`, the `program`,
// and the name of the global that is the `result`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPyodide } from 'pyodide'

process.once('message', async ({ urls, globals: given, program, result }) => {
  const cache = mkdtempSync(join(tmpdir(), 'brumate-stock-'))
  try {
    const pyodide = await loadPyodide({
      packageCacheDir: cache,
      env: { HOME: '/home/pyodide', MPLBACKEND: 'agg' },
    })
    await pyodide.loadPackage(urls, { checkIntegrity: false, messageCallback: () => {} })
    const globals = pyodide.toPy(given)
    pyodide.runPython(program, { globals })
    process.send(globals.get(result), () => process.exit())
  } finally {
    rmSync(cache, { recursive: true })
  }
})
