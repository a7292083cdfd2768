// Plain Pyodide with packages from a directory of wheels, as its documentation describes. Owns how they are loaded.
import { join, sep } from 'node:path'
import { loadPyodide, type PyodideInterface } from 'pyodide'

export interface PackageWheels {
  /** Absolute path; contains `pyodide-lock.json`. */
  readonly directory: string
  readonly names: readonly string[]
}

export async function loadPyodideWith(packages: PackageWheels | undefined): Promise<PyodideInterface> {
  if (packages === undefined) return loadPyodide()
  const { directory, names } = packages
  const pyodide = await loadPyodide({
    lockFileURL: join(directory, 'pyodide-lock.json'),
    packageBaseUrl: directory + sep,
  })
  await pyodide.loadPackage([...names], { messageCallback: () => {} })
  return pyodide
}
