// The thread of a plain Pyodide: loads it, runs the code that it receives, and answers with the output and the value.
import { parentPort, workerData } from 'node:worker_threads'
import { loadPyodideWith, type PackageWheels } from './pyodide-packages.js'

const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker')

let chunks: string[] = []
const decoder = new TextDecoder()
// Listens before loading: messages that arrive meanwhile wait in the queue below.
const loaded = loadPyodideWith(workerData as PackageWheels | undefined).then((pyodide) => {
  pyodide.setStdout({
    write: (bytes) => {
      chunks.push(decoder.decode(bytes, { stream: true }))
      return bytes.length
    },
  })
  return pyodide
})

let queue: Promise<void> = Promise.resolve()
port.on('message', (code: string) => {
  queue = queue.then(async () => {
    const pyodide = await loaded
    chunks = []
    try {
      const value: unknown = await pyodide.runPythonAsync(code)
      port.postMessage({ repr: String(value), stdout: chunks.join('') })
    } catch (error) {
      port.postMessage({ error: String(error) })
    }
  })
})
