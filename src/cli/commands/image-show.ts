// `brumate image show`.
import { stat } from 'node:fs/promises'
import { loadImageFile } from '../../image/load-file.js'
import type { Command } from '../command.js'
import { packageTable } from '../table.js'

export const imageShow: Command = {
  usage: 'FILE',
  about: 'Checks an image file, and shows its id, its Python and its packages.',
  options: {},
  positionals: [1, 1],
  async run({ positionals: [path = ''] }) {
    const { id, pythonVersion: python, pyodideVersion: pyodide, packages } = await loadImageFile(path)
    const { size: sizeBytes } = await stat(path)
    return {
      json: { path, id, sizeBytes, python, pyodide, packages },
      text: `${path}: image ${id}, ${(sizeBytes / 1e6).toFixed(1)} MB, Python ${python.split(' ')[0]}, Pyodide ${pyodide}\n${packageTable(packages)}`,
    }
  },
}
