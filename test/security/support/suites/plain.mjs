// Negative controls: plain `loadPyodide()`, in which an attack has to succeed for its test to mean anything.
// A case is Python code; its result is the value or error as text.
import { loadPyodide } from 'pyodide'

export async function open() {
  const pyodide = await loadPyodide({ stdout: () => {}, stderr: () => {} })
  return async (code) => {
    try {
      return String(await pyodide.runPythonAsync(code))
    } catch (error) {
      return String(error)
    }
  }
}
