// A session's files as the image has them: a fresh tree, its three standard descriptors, its working directory. Owns putting
// the parts of fs/ together; a reset makes a new one.
import type { FileIndex } from '../../src/shared/image/file-index.js'
import type { ImageReader } from '../image-bytes.js'
import { O } from './abi.js'
import { fail } from './errno.js'
import type { ChunkSource } from './fs/chunk-source.js'
import { FileIo, type RandomSource } from './fs/file-io.js'
import { Files } from './fs/files.js'
import { DescriptorTable } from './fs/open-file.js'
import { PrivateNodes } from './fs/private-nodes.js'
import { Quota } from './fs/quota.js'
import { type Location, Tree } from './fs/tree.js'
import type { MountedNodes } from './mounts/mounted-nodes.js'
import { StaleNodes } from './mounts/stale-nodes.js'
import type { OutputSink } from './output.js'

export interface FileSystemOptions {
  /** Of the image; made once for all file systems of a thread. */
  readonly files: FileIndex
  readonly bytes: ImageReader
  readonly cwd: string
  readonly output: OutputSink
  /** Default: the thread's own memory. */
  readonly chunks?: ChunkSource | undefined
  /** Default: the operating system's entropy. */
  readonly random?: RandomSource | undefined
}

export class FileSystem {
  readonly quota = new Quota()
  readonly nodes: PrivateNodes
  readonly files: Files
  readonly descriptors: DescriptorTable
  readonly io: FileIo
  /** What the session had open in a storage that is not there any more. */
  readonly stale = new StaleNodes()
  #mounted: MountedNodes | undefined

  constructor({ files, bytes, cwd, output, chunks, random }: FileSystemOptions) {
    this.nodes = new PrivateNodes(bytes, this.quota, chunks, files)
    const tree = new Tree(this.nodes)
    this.files = new Files(tree, bytesOf(cwd))
    this.descriptors = new DescriptorTable(this.nodes)
    this.io = new FileIo(output, this.nodes, this.quota, random)
    this.#openDevice('/dev/stdin', O.RDONLY)
    this.#openDevice('/dev/stdout', O.WRONLY)
    this.#openDevice('/dev/stderr', O.WRONLY)
  }

  /** It is not used any more: its memory is free, and others may have it. */
  close(): void {
    this.nodes.close()
    this.quota.close()
  }

  /** The storage that the session shares with others. */
  get mounted(): MountedNodes | undefined {
    return this.#mounted
  }

  /**
   * Shows a storage at its path, whose directories are made where they are missing.
   *
   * @throws FsError if something else is there
   */
  mount(store: MountedNodes): void {
    let at = this.nodes.root
    for (const name of store.mountPath.split('/')) {
      if (name === '') continue
      const found = this.nodes.lookup(at, name)
      at = found === 0 ? this.nodes.create(at, name, { kind: 'directory', mode: 0o755 }) : found
      if (this.nodes.status(at).kind !== 'directory') fail('ENOTDIR')
    }
    this.files.tree.mount(at, store)
    this.#mounted = store
  }

  /** Where a relative path begins for the `dirfd` of an *at call. Absolute paths ignore it. */
  start(dirfd: number, path: string, currentDirectory: number): Location {
    if (dirfd === currentDirectory || path.startsWith('/')) return this.files.cwd
    const file = this.descriptors.get(dirfd)
    if (file.kind !== 'directory') fail('ENOTDIR')
    return file
  }

  /** Readable and writable ends of a new pipe. */
  openPipe(): readonly [readable: number, writable: number] {
    this.descriptors.requireFree(2)
    const { id: node } = this.nodes.createPipe()
    const open = (flags: number): number => {
      this.nodes.hold(node)
      return this.descriptors.open({ store: this.nodes, node, kind: 'pipe', device: null }, flags)
    }
    return [open(O.RDONLY), open(O.WRONLY)]
  }

  #openDevice(path: string, flags: number): void {
    this.descriptors.open(this.files.open(this.files.tree.root, path, flags, 0), flags)
  }
}

/** Text as the byte string that paths are kept as. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
