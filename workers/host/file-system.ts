// A session's files: at first the image's tree, three standard descriptors and a working directory. Owns the assembly of the parts
// in fs/. A reset makes a new file system.
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
  /** Files of the image. Made once for all file systems of a thread. */
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
  /** Nodes that the session had open in a storage and has lost. */
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

  /** Frees its memory for others. It must not be used again. */
  close(): void {
    this.nodes.close()
    this.quota.close()
  }

  /** The storage that the session shares with others. */
  get mounted(): MountedNodes | undefined {
    return this.#mounted
  }

  /**
   * Mounts a storage at its path. Creates missing directories on the way.
   *
   * @throws FsError if something other than a directory is there
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

  /** Where the path of an *at call starts, given its `dirfd`. Absolute paths ignore `dirfd`. */
  start(dirfd: number, path: string, currentDirectory: number): Location {
    if (dirfd === currentDirectory || path.startsWith('/')) return this.files.cwd
    const file = this.descriptors.get(dirfd)
    if (file.kind !== 'directory') fail('ENOTDIR')
    return file
  }

  /** Makes a pipe. Returns the descriptors of its ends. */
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

/** Encodes text as a byte string (one UTF-16 unit per byte), the form in which paths are kept. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
