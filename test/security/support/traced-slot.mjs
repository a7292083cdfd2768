// A worker that loads the slot's entry as Piscina would, records every module with a loader hook, and reports what its thread holds.
// Started with the image as workerData.

import * as loader from 'node:module'
import { createRequire, isBuiltin } from 'node:module'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel, parentPort, workerData } from 'node:worker_threads'

const { entry } = workerData
const loaded = new Set()

if (loader.registerHooks) {
  loader.registerHooks({
    load(url, context, next) {
      loaded.add(url)
      return next(url, context)
    },
  })
} else {
  // Node 20 only has hooks that run on a separate thread.
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (url) => loaded.add(url))
  port1.unref()
  const hooks = `
    let port
    export function initialize(data) { port = data.port }
    export async function load(url, context, next) { port.postMessage(url); return next(url, context) }
  `
  loader.register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
    data: { port: port2 },
    transferList: [port2],
  })
}

const builtinsBefore = new Set(process.moduleLoadList)
const require = createRequire(entry)
const { serve } = require(fileURLToPath(entry))
await new Promise((resolve) => setTimeout(resolve, 100))
parentPort.postMessage({
  urls: [...loaded].filter((url) => !isBuiltin(url) && !url.startsWith('data:')),
  required: Object.keys(require.cache).map((path) => pathToFileURL(path).href),
  builtins: process.moduleLoadList.filter((name) => !builtinsBefore.has(name)),
  env: { ...process.env },
  argv: process.argv.slice(2),
  execArgv: process.execArgv,
  serves: typeof serve,
})
