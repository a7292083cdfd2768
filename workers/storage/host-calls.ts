// What the host asks of a storage: each call is one operation at a path, done at once for all sessions. Owns those operations; what
// they look like to a user is src/vfs/storage.ts's.
import type { FileStatus, StorageCalls } from '../../src/vfs/protocol.js'
import { O } from '../host/abi.js'
import { FsError, fail } from '../host/errno.js'
import type { Files } from '../host/fs/files.js'
import type { NodeStatus } from '../host/fs/node-store.js'
import type { Location } from '../host/fs/tree.js'

const LIST_COUNT = 4096
const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755

export function hostCalls(files: Files): StorageCalls {
  const { root } = files.tree
  const { store } = root

  const names = (node: number): string[] => {
    const found: string[] = []
    const end = store.nextCookie(node)
    for (let after = 0; ; ) {
      const entries = store.list(node, after, LIST_COUNT)
      for (const { name, cookie } of entries) {
        if (cookie < end) found.push(name)
        after = cookie
      }
      if (entries.length < LIST_COUNT) return found
    }
  }
  const open = (path: string, flags: number): Location => {
    const opened = files.open(root, path, flags, FILE_MODE)
    if (opened.kind === 'file') return opened
    store.release(opened.node)
    return fail('EISDIR')
  }
  /** A new file; undefined where there is something. */
  const make = (path: string): Location | undefined => {
    try {
      return open(path, O.WRONLY | O.CREAT | O.EXCL)
    } catch (error) {
      if (error instanceof FsError && error.message === 'EEXIST') return undefined
      throw error
    }
  }
  const removeAll = (path: string): void => {
    // The deepest first, in a loop: depth is no stack here.
    const todo = [path]
    for (let at = todo.at(-1); at !== undefined; at = todo.at(-1)) {
      const { location, status } = files.status(root, at, false)
      if (status.kind !== 'directory') {
        files.unlink(root, at)
        todo.pop()
        continue
      }
      const inside = names(location.node)
      if (inside.length > 0) {
        for (const name of inside) todo.push(`${at}/${name}`)
        continue
      }
      if (location.node !== root.node) files.rmdir(root, at)
      todo.pop()
    }
  }

  return {
    readFile: (path) => {
      const { node } = open(path, O.RDONLY)
      try {
        const bytes = new Uint8Array(store.status(node).size)
        return bytes.subarray(0, store.read(node, 0, bytes, 0, bytes.length))
      } finally {
        store.release(node)
      }
    },
    writeFile: (path, bytes) => {
      const made = make(path)
      const { node } = made ?? open(path, O.WRONLY | O.CREAT)
      try {
        // In place of what is there, or not at all: the new size has to fit before anything is cut.
        if (store.status(node).size < bytes.length) store.resize(node, bytes.length)
        store.write(node, 0, bytes, 0, bytes.length)
        store.resize(node, bytes.length)
      } catch (error) {
        if (made) files.unlink(root, path)
        throw error
      } finally {
        store.release(node)
      }
    },
    list: (path) => {
      const { location, status } = files.status(root, path, true)
      return status.kind === 'directory' ? names(location.node).sort() : fail('ENOTDIR')
    },
    stat: (path, follow) => statusOf(files.status(root, path, follow).status),
    remove: (path, recursive) => {
      if (recursive) return removeAll(path.replace(/\/+$/, '') || '/')
      if (files.status(root, path, false).status.kind === 'directory') files.rmdir(root, path)
      else files.unlink(root, path)
    },
    rename: (from, to) => files.rename(root, from, root, to),
    mkdir: (path, recursive) => {
      if (!recursive) return files.mkdir(root, path, DIRECTORY_MODE)
      const parts = path.split('/').filter((part) => part !== '')
      for (const [index] of parts.entries()) {
        const part = `/${parts.slice(0, index + 1).join('/')}`
        const place = files.place(root, part)
        if (place.node === 0) files.mkdir(root, part, DIRECTORY_MODE)
        else if (files.status(root, part, true).status.kind !== 'directory') fail('ENOTDIR')
      }
    },
    readlink: (path) => files.readlink(root, path),
    symlink: (target, path) => files.symlink(target, root, path),
    setStatus: (path, mode, modifiedMs) => {
      const { node } = files.find(root, path, true)
      const seconds = Math.floor(modifiedMs / 1000)
      store.setMode(node, mode & 0o777)
      store.setTimes(node, null, {
        seconds,
        nanoseconds: Math.floor((modifiedMs - seconds * 1000) * 1_000_000),
      })
    },
    usedBytes: () => store.usage().usedBytes,
    open: (path, writes) => {
      const { node } = open(path, writes ? O.WRONLY | O.CREAT | O.TRUNC : O.RDONLY)
      return { node, sizeBytes: store.status(node).size }
    },
    readAt: (node, position, length) => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, store.read(node, position, bytes, 0, length))
    },
    writeAt: (node, position, bytes) => {
      store.write(node, position, bytes, 0, bytes.length)
    },
    release: (node) => store.release(node),
  }
}

function statusOf({ kind, size, mode, modified }: NodeStatus): FileStatus {
  if (kind === 'device' || kind === 'pipe') return fail('EPERM')
  const modifiedMs = modified.seconds * 1000 + Math.floor(modified.nanoseconds / 1_000_000)
  return { kind, sizeBytes: size, mode, modifiedMs }
}
