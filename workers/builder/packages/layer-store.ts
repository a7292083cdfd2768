// Layers on disk, by the wheel's SHA-256 and the image that they were made with. Owns the file format, integrity checks on reading, and
// atomic writing.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layer, LayerFile } from './layer.js'

/** Increase it whenever the content of layers changes. */
const LAYER_VERSION = 1
const MAGIC = Buffer.from('BRUMATEL')
const HASH_BYTES = 32
const HEAD_BYTES = MAGIC.length + 4

interface Header {
  readonly files: readonly (readonly [path: string, length: number])[]
  readonly libraries: readonly (readonly [path: string, length: number])[]
}

export class LayerStore {
  readonly #directory: string
  readonly #baseId: string

  constructor(directory: string, baseId: string) {
    this.#directory = directory
    this.#baseId = baseId
  }

  /** Undefined if there is none, or it is damaged. */
  async read(wheelSha256: string): Promise<Layer | undefined> {
    try {
      return decode(await readFile(this.#path(wheelSha256)))
    } catch {
      return undefined
    }
  }

  /** Writes atomically: concurrent readers get the whole file or none. @throws Error of the file system */
  async write(wheelSha256: string, layer: Layer): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const path = this.#path(wheelSha256)
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      await writeFile(temporary, encode(layer), { flag: 'wx', mode: 0o600 })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  #path(wheelSha256: string): string {
    const key = createHash('sha256').update(`${LAYER_VERSION} ${this.#baseId} ${wheelSha256}`).digest('hex')
    return join(this.#directory, `${key}.layer`)
  }
}

function encode({ files, libraries }: Layer): Uint8Array {
  const entries = (of: readonly LayerFile[]) => of.map(({ path, bytes }) => [path, bytes.length] as const)
  const header: Header = { files: entries(files), libraries: entries(libraries) }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const body = Buffer.concat([MAGIC, length, text, ...[...files, ...libraries].map(({ bytes }) => bytes)])
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

/** @throws Error if the bytes are not what `encode` wrote */
function decode(bytes: Buffer): Layer {
  const body = bytes.subarray(0, bytes.length - HASH_BYTES)
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(body.length)))
    throw new Error('the layer is damaged')
  const start = HEAD_BYTES + body.readUInt32LE(MAGIC.length)
  const header = JSON.parse(body.toString('utf8', HEAD_BYTES, start)) as Header
  let at = start
  const take = ([path, length]: readonly [string, number]) => {
    at += length
    return { path, bytes: body.subarray(at - length, at) }
  }
  return { files: header.files.map(take), libraries: header.libraries.map(take) }
}
