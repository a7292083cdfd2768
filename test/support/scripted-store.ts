// A store whose faults a test can script. Owns the script; a MemoryStore keeps the data.
import {
  type ListOptions,
  MemoryStore,
  type PutOptions,
  type SnapshotRecord,
  type SnapshotStore,
  type StoredPage,
  type StoreEntry,
} from 'brumate'

export type Operation = 'get' | 'put' | 'delete' | 'list'

/** How an operation fails. */
export type Fault =
  /** The operation is not performed, and the caller gets an error. */
  | 'fail'
  /** The operation is performed, but the caller gets an error, as if a connection broke too late. */
  | 'fail-late'

export class ScriptedStore implements SnapshotStore {
  readonly #store = new MemoryStore()
  readonly #faults = new Map<Operation, (Fault | undefined)[]>()
  #isDown = false
  #gate: Promise<void> | undefined
  /** Ids of the sessions whose snapshots were written, in order. */
  readonly written: string[] = []
  readonly counts: Record<Operation, number> = { get: 0, put: 0, delete: 0, list: 0 }

  /** Sets the faults of the next operations of this kind. */
  script(operation: Operation, ...faults: (Fault | undefined)[]): void {
    this.#faults.set(operation, faults)
  }

  /** While true, every operation fails. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown
  }

  /** Makes writes wait until the returned function is called. */
  hold(): () => void {
    let open = () => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    return open
  }

  get(id: string): Promise<StoreEntry | undefined> {
    return this.#run('get', () => this.#store.get(id))
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    record: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined> {
    await this.#gate
    return this.#run('put', async () => {
      const generation = await this.#store.put(id, bytes, record, options)
      if (bytes?.length && generation !== undefined) this.written.push(id)
      return generation
    })
  }

  delete(id: string, options: { readonly generation: number }): Promise<boolean> {
    return this.#run('delete', () => this.#store.delete(id, options))
  }

  list(options?: ListOptions): Promise<StoredPage> {
    return this.#run('list', () => this.#store.list(options))
  }

  async #run<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    this.counts[operation]++
    const fault = this.#faults.get(operation)?.shift()
    if (this.#isDown || fault === 'fail') throw new Error('the disk is full')
    const done = await work()
    if (fault === 'fail-late') throw new Error('the connection broke')
    return done
  }
}
