// Monty: an interpreter for a subset of Python, written in Rust, as a native package of Node. A session is a `MontyRepl`. What a repl
// lacks (host functions, captured output) is measured with a `Monty`: a single program that keeps no state.

import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { MONTY_FOLDER } from './packages.js'
import { Cannot, firstResultHere, type Peer, type Purpose, performHere } from './peer.js'

/** The part of its types that is used; the package may not be installed when this is compiled. */
interface Repl {
  feed(code: string): unknown
  dump(): Buffer
}
interface MontyPackage {
  readonly MontyRepl: { new (options?: object): Repl; load(data: Buffer): Repl }
  readonly Monty: new (code: string) => { run(options: object): unknown }
}

const DEADLINE_SECONDS = 0.3

export async function openMonty(): Promise<Peer | undefined> {
  const require = createRequire(join(MONTY_FOLDER, 'package.json'))
  let found: string
  try {
    found = require.resolve('@pydantic/monty')
  } catch {
    return undefined
  }
  const { MontyRepl, Monty } = (await import(found)) as MontyPackage
  const sessions = new Map<string, Repl | Purpose>()
  const file = join(tmpdir(), `brumate-bench-cell-${process.pid}`)
  let taken: Buffer = Buffer.alloc(0)

  const repl = (name: string): Repl => {
    const session = sessions.get(name)
    if (session === undefined || typeof session === 'string') throw new Cannot('is a program by itself')
    return session
  }
  const execute = (name: string, code: string) => {
    if (typeof sessions.get(name) === 'string') {
      let printed = ''
      const value = new Monty(code).run({
        externalFunctions: { add: (a: number, b: number) => a + b },
        printCallback: (_: string, text: string) => {
          printed += text
        },
      })
      return { value: printed || String(value) }
    }
    return { value: String(repl(name).feed(code)) }
  }
  return {
    name: 'monty',
    call: 'add(1, 1)',
    files: '/tmp/',
    mostSessions: 64,
    isCompiledAhead: true,
    firstResult: firstResultHere('monty'),
    version: async () => JSON.parse(readFileSync(join(dirname(found), 'package.json'), 'utf8')).version,
    perform: (steps) =>
      performHere(steps, {
        create: (step) => {
          if (step.for === 'checkpoints') throw new Cannot('takes no checkpoints')
          if (step.for === 'callbacks' || step.for === 'output') sessions.set(step.session, step.for)
          else {
            const limits = step.for === 'deadline' ? { limits: { maxDurationSecs: DEADLINE_SECONDS } } : {}
            sessions.set(step.session, new MontyRepl(limits))
          }
        },
        execute: (step) => execute(step.session, step.code),
        cell: async (step) => {
          execute(step.session, step.code)
          const handle = await open(file, 'w')
          await handle.writeFile(repl(step.session).dump())
          await handle.sync()
          await handle.close()
        },
        snapshot: (step) => {
          taken = repl(step.session).dump()
          return { bytes: taken.length }
        },
        restore: (step) => void sessions.set(step.session, MontyRepl.load(taken)),
        recover: (step) => void sessions.set(step.session, MontyRepl.load(taken)),
        rest: (step) => void sessions.set(step.session, repl(step.session)),
        close: (step) => void sessions.delete(step.session),
      }),
    close: async () => {},
  }
}
