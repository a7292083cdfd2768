// The sessions of a REPL, by the names that `.fork` gives them. Owns which is current.
import type { InputFn, Session } from '../../session.js'
import type { Snapshot } from '../../shared/snapshot/snapshot.js'
import { UsageError } from '../command.js'
import type { Python } from '../python-options.js'
import { Versions } from './versions.js'

export interface Place {
  readonly name: string
  readonly session: Session
  readonly versions: Versions
}

const MAX_SESSIONS = 32

export class Workspace {
  readonly #python: Python
  readonly #onInput: InputFn
  readonly #undoCells: number
  readonly #places = new Map<string, Place>()
  #current: Place | undefined

  constructor(python: Python, onInput: InputFn, undoCells: number) {
    this.#python = python
    this.#onInput = onInput
    this.#undoCells = undoCells
  }

  get current(): Place {
    if (this.#current === undefined) throw new Error('unreachable: no session')
    return this.#current
  }

  get places(): readonly Place[] {
    return [...this.#places.values()]
  }

  /**
   * Creates a session, and makes it the current one.
   *
   * @throws UsageError
   */
  async add(name: string, from?: Snapshot): Promise<void> {
    if (!/^[\w-]{1,32}$/.test(name))
      throw new UsageError('a name has 1 to 32 letters, digits, _ and -, such as .fork attempt-2')
    if (this.#places.has(name)) throw new UsageError(`there is a session ${name} already`)
    if (this.#places.size >= MAX_SESSIONS) throw new UsageError(`there are ${MAX_SESSIONS} sessions already`)
    // With undo, a snapshot is taken after each cell anyway, so checkpoints would be extra work.
    const checkpoint = this.#undoCells > 0 ? 'manual' : 'auto'
    const session = await this.#python.createSession({
      ...{ checkpoint, onInput: this.#onInput },
      ...(from === undefined ? {} : { from }),
    })
    const versions = new Versions(session, this.#undoCells)
    versions.save()
    this.#current = { name, session, versions }
    this.#places.set(name, this.#current)
  }

  /** Copies the current session with its state. */
  async fork(name: string): Promise<void> {
    await this.add(name, await this.current.session.snapshotState())
  }

  /** @throws UsageError */
  switch(name: string): void {
    const place = this.#places.get(name)
    if (place === undefined)
      throw new UsageError(`there is no session ${name}; there are: ${[...this.#places.keys()].join(', ')}`)
    this.#current = place
  }
}
