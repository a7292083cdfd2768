// Ways to directories of the host: from the descriptor of the one that is served, name by name, each opened without following a
// link and checked to be the directory that is meant (E5). Owns descriptors while they are needed, and what that is without /proc.
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
} from 'node:fs'
import { sep } from 'node:path'
import { FsError, fail } from '../host/errno.js'
import { onHost } from './host-error.js'
import type { HostNode } from './host-nodes.js'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/**
 * /proc/self/fd/N/name is name in the directory that is open as N, wherever that is now: what openat(2) does. On macOS, Windows and
 * in containers without /proc there are paths only: whoever swaps directories of the host just then can mislead what is listed, made
 * or removed, but not what is read or written.
 */
export function hasDescriptorPaths(): boolean {
  return process.platform === 'linux' && existsSync('/proc/self/fd')
}

export class HostDirectories {
  readonly #rootPath: string
  readonly #rootFd: number
  readonly #byDescriptor: boolean
  readonly root: BigIntStats

  constructor(hostPath: string, byDescriptor: boolean) {
    this.#byDescriptor = byDescriptor
    this.#rootPath = realpathSync(hostPath)
    this.#rootFd = openSync(this.#rootPath, O_RDONLY | (O_DIRECTORY ?? 0))
    this.root = fstatSync(this.#rootFd, { bigint: true })
  }

  /** Runs with the way to each name of a directory. */
  within<T>(directory: HostNode | undefined, use: (at: (name: string) => Buffer) => T): T {
    const fd = directory === undefined ? fail('ENOENT') : this.open(directory)
    try {
      const base = this.#byDescriptor ? `/proc/self/fd/${fd}` : this.#pathOf(directory)
      return onHost(() => use((name) => Buffer.from(`${base}/${name}`, 'latin1')))
    } finally {
      closeSync(fd)
    }
  }

  /** A descriptor of the directory; ENOENT when it is not where it was found, and nothing else is there in its place. */
  open(directory: HostNode): number {
    const way: HostNode[] = []
    for (let at: HostNode | undefined = directory; at !== undefined; at = at.parent) way.push(at)
    if (!directory.linked) fail('ENOENT')
    return onHost(() => {
      let fd = this.#rootFd
      for (const node of way.reverse()) {
        const before = fd
        try {
          fd = this.#openOne(node, before)
        } finally {
          if (before !== this.#rootFd) closeSync(before)
        }
      }
      return fd
    })
  }

  /** The next one on a way, from the one before it. */
  #openOne(node: HostNode, before: number): number {
    const isRoot = node.parent === undefined
    const byDescriptor = `/proc/self/fd/${before}${isRoot ? '' : `/${node.name}`}`
    const path = Buffer.from(this.#byDescriptor ? byDescriptor : this.#pathOf(node), 'latin1')
    if (!this.#byDescriptor && lstatSync(path).isSymbolicLink()) fail('ENOENT')
    const fd = openSync(path, O_RDONLY | (O_DIRECTORY ?? 0) | (isRoot ? 0 : (O_NOFOLLOW ?? 0)))
    const { dev, ino } = fstatSync(fd, { bigint: true })
    if (`${dev}:${ino}` === node.key) return fd
    closeSync(fd)
    return fail('ENOENT')
  }

  /** What is there under a name, its link not followed; undefined if nothing is. */
  look(directory: HostNode, name: string): BigIntStats | undefined {
    try {
      return this.within(directory, (at) => lstatSync(at(name), { bigint: true }))
    } catch (error) {
      if (error instanceof FsError && error.message === 'ENOENT') return undefined
      throw error
    }
  }

  status(node: HostNode): BigIntStats {
    if (node.parent === undefined) return fstatSync(this.#rootFd, { bigint: true })
    const stat = node.linked ? this.look(node.parent, node.name) : undefined
    if (stat === undefined || `${stat.dev}:${stat.ino}` !== node.key) return fail('ENOENT')
    return stat
  }

  /** As a byte string. */
  #pathOf(node: HostNode | undefined): string {
    const names: string[] = []
    for (let at = node; at?.parent !== undefined; at = at.parent) names.push(at.name)
    const root = Buffer.from(this.#rootPath, 'utf8').toString('latin1')
    return [root, ...names.reverse()].join(sep === '\\' ? '/' : sep)
  }
}
