// Runs the session tests over HTTP, to show the same behaviour. Slow ones are left out: they test the interpreter, which is the same.
import { inModes } from '../support/session-modes.js'
import { overHttp } from './support/over-http.js'

const FILES = ['counting', 'errors', 'output', 'state', 'values-from-python', 'values-to-python']

await inModes([overHttp], async () => {
  // The query makes modules of their own: those of the files themselves are evaluated only once in a process.
  for (const name of FILES) await import(/* @vite-ignore */ `../session/${name}.test.ts?over-http`)
})
