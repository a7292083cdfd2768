// Workspaces of sandbox agents in a store of sessions. Owns the format of an entry: the length of its metadata in four bytes, the metadata
// as JSON, and the workspace's archive.
import { randomUUID } from 'node:crypto'
import type {
  RemoteSnapshotDeleteArgs,
  RemoteSnapshotLoadArgs,
  RemoteSnapshotSaveArgs,
  RemoteSnapshotStore,
} from '@openai/agents/sandbox'
import { isText } from '../options/check.js'
import { InvalidOptionError, StoreError } from '../shared/errors.js'
import type { SnapshotStore } from '../store/store.js'

export interface WorkspaceStoreOptions {
  /** Store of the workspaces. Do not use the store of a manager, which would list them as sessions. */
  readonly store: SnapshotStore
  /** Prefix of every id in the store. Default `openai-agents/`. */
  readonly prefix?: string
}

/** Attempts to save or delete an entry while others write to the same id. */
const MAX_TRIES = 10
const HEAD_BYTES = 4
const RECORD = { tenant: 'openai-agents', imageId: 'openai-agents', labels: {}, executionCount: 0 }

/**
 * A `RemoteSnapshotStore` for the OpenAI Agents SDK: `snapshot: { type: 'remote', store: new WorkspaceStore({ store }) }`.
 */
export class WorkspaceStore implements RemoteSnapshotStore {
  readonly #store: SnapshotStore
  readonly #prefix: string

  /** @throws InvalidOptionError */
  constructor({ store, prefix }: WorkspaceStoreOptions) {
    if (typeof store?.put !== 'function') throw new InvalidOptionError('store', 'a SnapshotStore', store)
    this.#store = store
    this.#prefix = isText('prefix', prefix, { maxLength: 100 }) ?? 'openai-agents/'
  }

  /** @throws StoreError */
  async save({ id = randomUUID(), data, metadata }: RemoteSnapshotSaveArgs) {
    const head = new TextEncoder().encode(JSON.stringify(metadata ?? null))
    const bytes = new Uint8Array(HEAD_BYTES + head.length + data.length)
    new DataView(bytes.buffer).setUint32(0, head.length)
    bytes.set(head, HEAD_BYTES)
    bytes.set(data, HEAD_BYTES + head.length)
    const key = this.#prefix + id
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const generation = (await this.#store.get(key))?.generation ?? 0
      if ((await this.#store.put(key, bytes, RECORD, { generation })) !== undefined)
        return { id, ...(metadata === undefined ? {} : { metadata }) }
    }
    throw new StoreError(`the workspace ${id} was written by others ${MAX_TRIES} times meanwhile; try again`)
  }

  /** @throws StoreError, also if the workspace does not exist */
  async load({ id }: RemoteSnapshotLoadArgs) {
    const entry = await this.#store.get(this.#prefix + id)
    if (entry === undefined)
      throw new StoreError(`there is no workspace ${id} in the store; it may have been deleted`)
    const { bytes } = entry
    const headBytes =
      bytes.length < HEAD_BYTES ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    if (!(HEAD_BYTES + headBytes <= bytes.length)) throw damaged(id)
    const metadata = metadataOf(id, bytes.subarray(HEAD_BYTES, HEAD_BYTES + headBytes))
    const data = bytes.slice(HEAD_BYTES + headBytes)
    return { data, ...(metadata === undefined ? {} : { metadata }) }
  }

  /** @throws StoreError */
  async delete({ id }: RemoteSnapshotDeleteArgs): Promise<void> {
    const key = this.#prefix + id
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = await this.#store.get(key)
      if (entry === undefined || (await this.#store.delete(key, { generation: entry.generation }))) return
    }
    throw new StoreError(`the workspace ${id} was written by others ${MAX_TRIES} times meanwhile; try again`)
  }

  /** @throws StoreError */
  async exists({ id }: RemoteSnapshotLoadArgs): Promise<boolean> {
    return (await this.#store.get(this.#prefix + id)) !== undefined
  }
}

function metadataOf(id: string, head: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(head)) ?? undefined
  } catch {
    throw damaged(id)
  }
}

function damaged(id: string): StoreError {
  return new StoreError(`the entry of the workspace ${id} is damaged, or not one of WorkspaceStore`, {
    reason: 'damaged',
  })
}
