#!/usr/bin/env node
// Entry of the program `brumate`. Owns the process: signals, closed pipes and the exit code.
import { EXIT_BROKEN_PIPE } from './exit-codes.js'
import { Interrupts } from './interrupts.js'
import { run } from './run.js'

const interrupts = new Interrupts((code) => process.exit(code))
process.on('SIGINT', interrupts.raise)
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE)
    throw error
  })
process.exitCode = await run(process.argv.slice(2), process, interrupts.signal, interrupts.handle)
