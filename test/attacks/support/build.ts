// A copy of the build with other slots: either watched (the real slot, wrapped in slot-watch.cjs) or owned (owned-slot.mjs, which sends the
// main thread whatever an attack wants). Everything on the main thread is real. Owns the slots.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { BuildCopy } from '../../../chaos/build-copy.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

export interface BuildSetup {
  readonly slots: 'watched' | 'owned'
  readonly canary: string
  /** Files of the attacks that run in slots' threads, by id. */
  readonly attacks: Readonly<Record<string, string>>
}

export class AttackedBuild {
  readonly #copy = new BuildCopy(ROOT)
  /** The file that watched slots write to. */
  readonly journal = join(this.#copy.directory, 'journal')

  constructor({ slots, canary, attacks }: BuildSetup) {
    writeFileSync(this.journal, '')
    const slot = this.#copy.path('workers/slot.bundle.cjs')
    if (slots === 'watched') {
      for (const file of ['spies.cjs', 'slot-watch.cjs'])
        cpSync(join(HERE, file), this.#copy.path(`workers/${file}`))
      const facts = { journal: this.journal, canary, attacks }
      writeFileSync(this.#copy.path('workers/slot-watch.json'), JSON.stringify(facts))
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
    return this.#copy.url
  }

  remove(): void {
    this.#copy.remove()
  }
}
