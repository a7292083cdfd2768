#!/usr/bin/env node
// Entry of the program `brumate`. Owns the process: signals and the exit code.
import { EXIT_INTERRUPTED, run } from './run.js'

const interrupted = new AbortController()
process.once('SIGINT', () => {
  interrupted.abort(new Error('interrupted'))
  // A second one does not wait.
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
})
process.exitCode = await run(process.argv.slice(2), process, interrupted.signal)
