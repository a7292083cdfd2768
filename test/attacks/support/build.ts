// A copy of the build with other slots: either watched (the real slot, wrapped in slot-watch.cjs) or owned (owned-slot.mjs, which sends the
// main thread whatever an attack wants). Everything on the main thread is real. Owns the copy.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

export interface BuildSetup {
  readonly slots: 'watched' | 'owned'
  readonly canary: string
  /** Files of the attacks that run in slots' threads, by id. */
  readonly attacks: Readonly<Record<string, string>>
}

export class AttackedBuild {
  readonly #directory = mkdtempSync(join(tmpdir(), 'brumate-attacked-'))
  /** The file that watched slots write to. */
  readonly journal = join(this.#directory, 'journal')

  constructor({ slots, canary, attacks }: BuildSetup) {
    const dist = join(this.#directory, 'dist')
    for (const part of ['src', 'workers', 'packages'])
      cpSync(join(ROOT, 'dist', part), join(dist, part), { recursive: true })
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}')
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'), 'junction')
    writeFileSync(this.journal, '')
    const workers = join(dist, 'workers')
    const slot = join(workers, 'slot.bundle.cjs')
    if (slots === 'watched') {
      for (const file of ['spies.cjs', 'slot-watch.cjs']) cpSync(join(HERE, file), join(workers, file))
      const facts = { journal: this.journal, canary, attacks }
      writeFileSync(join(workers, 'slot-watch.json'), JSON.stringify(facts))
      const real = readFileSync(slot, 'utf8')
      const source = [`'use strict'`, `const { watch } = require('./slot-watch.cjs')`, real, 'watch(exports)']
      writeFileSync(slot, source.join('\n'))
    } else {
      const owned = pathToFileURL(join(HERE, 'owned-slot.mjs')).href
      const files = JSON.stringify(attacks)
      writeFileSync(
        slot,
        `exports.serve = (task) => import('${owned}').then(({ serve }) => serve(task, ${files}))`,
      )
    }
  }

  /** URL to pass to a child as its `dist`. */
  get dist(): string {
    return `${pathToFileURL(this.#directory).href}/dist/`
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
