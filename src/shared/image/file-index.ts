// The files of an image as one table of bytes. The builder writes it once, and every thread reads it without making objects for
// files that are never used. Owns the layout and the numbers of nodes; snapshots refer to nodes by these numbers.
import type { ImageFile } from './image.js'

/** Character devices that every session has below /dev. */
export type DeviceName = 'null' | 'zero' | 'random' | 'stdin' | 'stdout' | 'stderr' | 'tty'

const DEVICES: readonly (readonly [name: string, device: DeviceName])[] = [
  ['null', 'null'],
  ['zero', 'zero'],
  ['random', 'random'],
  ['urandom', 'random'],
  ['stdin', 'stdin'],
  ['stdout', 'stdout'],
  ['stderr', 'stderr'],
  ['tty', 'tty'],
]

/** One node of an index. Names and targets are byte strings, with one UTF-16 unit per byte. */
export type IndexedNode = {
  readonly mode: number
  /** The parent's number; 0 for the root, which is node 1. */
  readonly parent: number
  readonly name: string
} & (
  | { readonly kind: 'file'; readonly offset: number; readonly length: number }
  | { readonly kind: 'directory'; readonly count: number }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'device'; readonly device: DeviceName }
)

export interface IndexedEntry {
  readonly name: string
  readonly node: number
  readonly kind: IndexedNode['kind']
}

const KINDS = ['file', 'directory', 'symlink', 'device'] as const
/** Words of the head: number of nodes, number of children, bytes of text, bytes of links' targets. Nodes, children and text follow. */
const HEAD_WORDS = 4
/**
 * Words of a node: kind and mode, parent, position and length of the name. Then offset and length of a file, first child and number of
 * children of a directory, position and length of a link's target, or a device's number.
 */
const NODE_WORDS = 6
const KIND_BITS = 2

export class FileIndex {
  /** Number of nodes. They are numbered from 1 to this. */
  readonly count: number
  /** Length of all links' targets together. */
  readonly targetBytes: number
  readonly #words: Uint32Array
  readonly #text: Buffer
  readonly #firstChild: number

  /** @param bytes - the result of `fileIndexBytes`, at a multiple of 4 in its buffer; kept, and never changed */
  constructor(bytes: Uint8Array) {
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
    const [count = 0, children = 0, textBytes = 0, targetBytes = 0] = this.#words
    this.count = count
    this.targetBytes = targetBytes
    this.#firstChild = HEAD_WORDS + count * NODE_WORDS
    const textAt = (this.#firstChild + children) * 4
    if (textAt + textBytes > bytes.length) throw new Error('the table of the image’s files is cut off')
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset + textAt, textBytes)
  }

  static of(files: readonly ImageFile[], cwd: string): FileIndex {
    return new FileIndex(fileIndexBytes(files, cwd))
  }

  has(node: number): boolean {
    return node >= 1 && node <= this.count
  }

  /** @param node - must be in the index */
  node(node: number): IndexedNode {
    const at = HEAD_WORDS + (node - 1) * NODE_WORDS
    const head = this.#word(at)
    const kind = KINDS[head & 3] ?? 'file'
    const [a, b] = [this.#word(at + 4), this.#word(at + 5)]
    const common = { mode: head >>> KIND_BITS, parent: this.#word(at + 1), name: this.#name(at) }
    switch (kind) {
      case 'file':
        return { ...common, kind, offset: a, length: b }
      case 'directory':
        return { ...common, kind, count: b }
      case 'symlink':
        return { ...common, kind, target: this.#text.toString('latin1', a, a + b) }
      case 'device':
        return { ...common, kind, device: DEVICES[a]?.[1] ?? 'null' }
    }
  }

  /** The entries of a directory, in the order in which it lists them. */
  *entries(directory: number): Generator<IndexedEntry> {
    const at = HEAD_WORDS + (directory - 1) * NODE_WORDS
    const [first, count] = [this.#word(at + 4), this.#word(at + 5)]
    for (let child = first; child < first + count; child += 1) {
      const node = this.#word(this.#firstChild + child)
      const own = HEAD_WORDS + (node - 1) * NODE_WORDS
      yield { name: this.#name(own), node, kind: KINDS[this.#word(own) & 3] ?? 'file' }
    }
  }

  /** The path of a node, which must be in the index; '' for the root. */
  path(node: number): string {
    const { parent, name } = this.node(node)
    return parent === 0 ? '' : `${this.path(parent)}/${Buffer.from(name, 'latin1').toString('utf8')}`
  }

  /** Files, directories and links, as input for `fileIndexBytes`. Without devices, which every index has. */
  files(): ImageFile[] {
    const files: ImageFile[] = []
    const paths = ['']
    const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')
    // A directory precedes its nodes.
    for (let id = 2; id <= this.count; id += 1) {
      const node = this.node(id)
      const path = `${paths[node.parent - 1]}/${utf8(node.name)}`
      paths[id - 1] = path
      if (node.kind === 'directory') files.push({ kind: 'directory', path, mode: node.mode })
      else if (node.kind === 'symlink') files.push({ kind: 'symlink', path, target: utf8(node.target) })
      else if (node.kind === 'file') {
        const { mode, offset, length } = node
        files.push({ kind: 'file', path, mode, offset, length })
      }
    }
    return files
  }

  #name(at: number): string {
    const start = this.#word(at + 2)
    return this.#text.toString('latin1', start, start + this.#word(at + 3))
  }

  #word(at: number): number {
    return this.#words[at] ?? 0
  }
}

type Planned = {
  readonly id: number
  readonly parent: number
  readonly name: string
} & (
  | { readonly kind: 'file'; readonly mode: number; readonly offset: number; readonly length: number }
  | { readonly kind: 'directory'; mode: number; readonly children: Map<string, number> }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'device'; readonly device: number }
)
type PlannedDirectory = Extract<Planned, { kind: 'directory' }>

/** Adds files to a tree of the directories and devices that every session has. If two files have the same path, the first counts. */
class Plan {
  readonly nodes: Planned[] = []
  readonly #root: PlannedDirectory

  constructor() {
    this.#root = { id: 1, parent: 0, name: '', kind: 'directory', mode: 0o755, children: new Map() }
    this.nodes.push(this.#root)
  }

  add(file: ImageFile): void {
    const path = bytesOf(file.path)
    if (file.kind === 'directory') {
      this.directory(path, file.mode)
      return
    }
    const slash = path.lastIndexOf('/')
    const directory = this.directory(path.slice(0, slash))
    const name = path.slice(slash + 1)
    if (directory.children.has(name)) return
    const common = { ...this.#place(directory), name }
    if (file.kind === 'symlink') {
      this.#put(directory, { ...common, kind: 'symlink', target: bytesOf(file.target) })
    } else {
      const { mode, offset, length } = file
      this.#put(directory, { ...common, kind: 'file', mode: mode & 0o7777, offset, length })
    }
  }

  device(directory: PlannedDirectory, name: string, device: number): void {
    this.#put(directory, { ...this.#place(directory), name, kind: 'device', device })
  }

  /** Returns a directory, and creates the missing parts of its path. */
  directory(path: string, mode?: number): PlannedDirectory {
    let at = this.#root
    for (const name of path.split('/')) {
      if (name === '') continue
      const found = this.nodes[(at.children.get(name) ?? 0) - 1]
      if (found !== undefined && found.kind !== 'directory')
        throw new Error(`${path}: there is a file where a directory has to be`)
      if (found === undefined) {
        const made: PlannedDirectory = {
          ...this.#place(at),
          name,
          kind: 'directory',
          mode: 0o755,
          children: new Map(),
        }
        this.#put(at, made)
        at = made
      } else at = found
    }
    if (mode !== undefined) at.mode = mode & 0o7777
    return at
  }

  #place(directory: PlannedDirectory) {
    return { id: this.nodes.length + 1, parent: directory.id }
  }

  #put(directory: PlannedDirectory, node: Planned): void {
    this.nodes.push(node)
    directory.children.set(node.name, node.id)
  }
}

/** Writes the table. The order of `files` is the order in which directories list them. */
export function fileIndexBytes(files: readonly ImageFile[], cwd: string): Uint8Array<ArrayBuffer> {
  const plan = new Plan()
  plan.directory('/tmp', 0o1777)
  plan.directory('/dev/shm', 0o1777)
  plan.directory('/dev/fd', 0o555)
  for (const [number, [name]] of DEVICES.entries()) plan.device(plan.directory('/dev'), name, number)
  for (const file of files) plan.add(file)
  plan.directory(bytesOf(cwd))
  return encode(plan.nodes)
}

function encode(nodes: readonly Planned[]): Uint8Array<ArrayBuffer> {
  const text: string[] = []
  let textBytes = 0
  let targetBytes = 0
  const put = (part: string): number => {
    text.push(part)
    textBytes += part.length
    return textBytes - part.length
  }
  const children: number[] = []
  const words: number[] = []
  for (const node of nodes) {
    const mode = node.kind === 'symlink' ? 0o777 : node.kind === 'device' ? 0o666 : node.mode
    words.push((mode << KIND_BITS) | KINDS.indexOf(node.kind), node.parent, put(node.name), node.name.length)
    switch (node.kind) {
      case 'file':
        words.push(node.offset, node.length)
        break
      case 'directory':
        words.push(children.length, node.children.size)
        children.push(...node.children.values())
        break
      case 'symlink':
        targetBytes += node.target.length
        words.push(put(node.target), node.target.length)
        break
      case 'device':
        words.push(node.device, 0)
    }
  }
  const head = [nodes.length, children.length, textBytes, targetBytes]
  const all = Uint32Array.from([...head, ...words, ...children])
  const bytes = new Uint8Array(Math.ceil((all.byteLength + textBytes) / 4) * 4)
  bytes.set(new Uint8Array(all.buffer))
  Buffer.from(bytes.buffer).write(text.join(''), all.byteLength, 'latin1')
  return bytes
}

/** Converts text to a byte string, the form in which names are stored. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
