// Operations that the main thread requests on a storage, or on a session's private files: each call is one operation at a path. Owns those
// operations, and the points at which a long one yields to others. src/vfs/storage.ts and src/session/session-files.ts own the public API.
import type { FileStatus, StorageCalls } from '../../../src/shared/messages/storage.js'
import { O } from '../abi.js'
import { FsError, fail } from '../errno.js'
import type { Files } from './files.js'
import type { NodeStatus } from './node-store.js'
import { sortInSteps } from './sort.js'
import type { Location } from './tree.js'

/** Directories of the host's disk, whose names have to be read again. */
export interface RefreshedDirectories {
  refresh(node: number): Iterable<undefined>
  lastCookie(node: number): number
}

const LIST_COUNT = 4096
const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755
/** A file up to this size is read in one step. */
const READ_BYTES = 4 * 1024 * 1024
/** How often to try reading a file in steps, if it changes meanwhile. After that it is read in one step. */
const READ_TRIES = 3

/** Most entries removed in one step, and the longest time for it: deep in a directory of the host, each takes milliseconds. */
const STEP_ENTRIES = 64
const STEP_MS = 5
/** How often to list and empty one directory before giving up. */
const MAX_PASSES = 16

/** A node that is to be removed with everything in it. */
interface Doomed {
  /** Directory in which to look up its name. */
  readonly start: Location
  readonly name: string
  /** How often its entries have been listed. */
  passes: number
  /** Its node, which is held, if it is a directory. */
  opened: number | undefined
}

export type HostTask<T = unknown> = Generator<undefined, T>
export type HostTasks = {
  readonly [Name in keyof StorageCalls]: (
    ...parameters: Parameters<StorageCalls[Name]>
  ) => ReturnType<StorageCalls[Name]> | HostTask<ReturnType<StorageCalls[Name]>>
}

/** The calls as functions that do not yield. */
export function hostCalls(files: Files): StorageCalls {
  const tasks = Object.entries(hostTasks(files)) as [string, (...parameters: unknown[]) => unknown][]
  const calls = tasks.map(([name, task]) => [
    name,
    (...parameters: unknown[]) => {
      const found = task(...parameters)
      if (!isTask(found)) return found
      for (;;) {
        const { done, value } = found.next()
        if (done) return value
      }
    },
  ])
  return Object.fromEntries(calls)
}

/** Whether the result of a call is a task that still has to run. */
export function isTask(found: unknown): found is HostTask {
  return typeof found === 'object' && found !== null && 'next' in found
}

/** The calls, as tasks in steps if they may take long. `directory` is given if the files are on the host's disk. */
export function hostTasks(files: Files, directory?: RefreshedDirectories): HostTasks {
  const { root } = files.tree
  const { store } = root

  function* names(node: number): HostTask<string[]> {
    const found: string[] = []
    if (directory) yield* directory.refresh(node)
    const end = directory ? directory.lastCookie(node) : store.nextCookie(node)
    for (let after = 0; ; ) {
      const entries = store.list(node, after, LIST_COUNT)
      for (const { name, cookie } of entries) {
        if (cookie < end) found.push(name)
        after = cookie
      }
      if (entries.length < LIST_COUNT) return found
      yield
    }
  }
  const open = (path: string, flags: number): Location => {
    const opened = files.open(root, path, flags, FILE_MODE)
    if (opened.kind === 'file') return opened
    store.release(opened.node)
    return fail('EISDIR')
  }
  /** Creates a file. Undefined if something exists at the path. */
  const make = (path: string): Location | undefined => {
    try {
      return open(path, O.WRONLY | O.CREAT | O.EXCL)
    } catch (error) {
      if (error instanceof FsError && error.message === 'EEXIST') return undefined
      throw error
    }
  }
  function* readWhole(node: number): HostTask<Uint8Array> {
    for (let tries = 1; ; tries += 1) {
      const { size, changed } = store.status(node)
      const bytes = new Uint8Array(size)
      const stepBytes = tries > READ_TRIES ? size : READ_BYTES
      let at = 0
      while (at < size) {
        const count = store.read(node, at, bytes, at, Math.min(at + stepBytes, size))
        if (count === 0) break
        at += count
        if (at < size) yield
      }
      const now = store.status(node)
      const isSame =
        now.size === size &&
        now.changed.seconds === changed.seconds &&
        now.changed.nanoseconds === changed.nanoseconds
      if (isSame || size <= stepBytes) return bytes.subarray(0, at)
    }
  }
  /**
   * Removes a tree. Each name is looked up in the directory where it was listed, so that depth needs neither stack nor long paths. Sessions
   * may change the tree between two steps, so a directory is held as long as something in it has to be removed.
   */
  function* removeAll(path: string): HostTask<void> {
    const held: number[] = []
    const todo: Doomed[] = [{ start: root, name: path, passes: 0, opened: undefined }]
    try {
      let untilMs = performance.now() + STEP_MS
      for (let removed = 1; ; removed += 1) {
        if (removed % STEP_ENTRIES === 0 || performance.now() > untilMs) {
          yield
          untilMs = performance.now() + STEP_MS
        }
        const next = todo.at(-1)
        if (next === undefined) return
        try {
          const { location, status } = files.status(next.start, next.name, false)
          if (status.kind === 'directory') {
            const { node } = location
            if (next.opened === undefined) {
              store.hold(node)
              held.push(node)
              next.opened = node
            }
            const inside = yield* names(node)
            if (inside.length > 0) {
              next.passes += 1
              // A session creates files here as fast as they are removed.
              if (next.passes > MAX_PASSES) fail('ENOTEMPTY')
              for (const name of inside) todo.push({ start: location, name, passes: 0, opened: undefined })
              continue
            }
            if (node !== root.node) files.rmdir(next.start, next.name)
          } else files.unlink(next.start, next.name)
        } catch (error) {
          const isGone =
            error instanceof FsError && (error.message === 'ENOENT' || error.message === 'ENOTDIR')
          // Only entries below the path may have disappeared meanwhile: the path itself must exist.
          if (!isGone || removed === 1) throw error
        }
        if (next.opened !== undefined) store.release(held.pop() as number)
        todo.pop()
      }
    } finally {
      for (const node of held) store.release(node)
    }
  }

  return {
    *readFile(path) {
      const { node } = open(path, O.RDONLY)
      try {
        return yield* readWhole(node)
      } finally {
        store.release(node)
      }
    },
    writeFile(path, bytes) {
      const made = make(path)
      const { node } = made ?? open(path, O.WRONLY | O.CREAT)
      try {
        // Replace the contents completely or not at all: make sure that the new size fits before cutting anything.
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
    *list(path) {
      const { location, status } = files.status(root, path, true)
      if (status.kind !== 'directory') fail('ENOTDIR')
      return yield* sortInSteps(yield* names(location.node))
    },
    stat(path, follow) {
      return statusOf(files.status(root, path, follow).status)
    },
    *remove(path, recursive) {
      if (recursive) return yield* removeAll(path.replace(/\/+$/, '') || '/')
      if (files.status(root, path, false).status.kind === 'directory') files.rmdir(root, path)
      else files.unlink(root, path)
    },
    rename(from, to) {
      files.rename(root, from, root, to)
    },
    mkdir(path, recursive) {
      if (!recursive) return files.mkdir(root, path, DIRECTORY_MODE)
      let at: Location = root
      for (const part of path.split('/').filter((name) => name !== '')) {
        if (files.place(at, part).node === 0) files.mkdir(at, part, DIRECTORY_MODE)
        const { location, status } = files.status(at, part, true)
        if (status.kind !== 'directory') fail('ENOTDIR')
        at = location
      }
    },
    readlink(path) {
      return files.readlink(root, path)
    },
    symlink(target, path) {
      files.symlink(target, root, path)
    },
    setStatus(path, mode, modifiedMs) {
      const { node } = files.find(root, path, true)
      const seconds = Math.floor(modifiedMs / 1000)
      store.setMode(node, mode & 0o777)
      store.setTimes(node, null, {
        seconds,
        nanoseconds: Math.floor((modifiedMs - seconds * 1000) * 1_000_000),
      })
    },
    *usedBytes() {
      const counting = store.countBytes?.()
      return counting === undefined ? store.usage().usedBytes : yield* counting
    },
    open(path, writes) {
      const { node } = open(path, writes ? O.WRONLY | O.CREAT | O.TRUNC : O.RDONLY)
      return { node, sizeBytes: store.status(node).size }
    },
    readAt(node, position, length) {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, store.read(node, position, bytes, 0, length))
    },
    writeAt(node, position, bytes) {
      store.write(node, position, bytes, 0, bytes.length)
    },
    release(node) {
      store.release(node)
    },
  }
}

function statusOf({ kind, size, mode, modified }: NodeStatus): FileStatus {
  if (kind === 'device' || kind === 'pipe') return fail('EPERM')
  const modifiedMs = modified.seconds * 1000 + Math.floor(modified.nanoseconds / 1_000_000)
  return { kind, sizeBytes: size, mode, modifiedMs }
}
