// The entries of a directory, as `getdents64` has them. Owns their layout in the interpreter's memory, and what a directory that changes
// meanwhile shows.
import { DIRENT } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { OpenFile } from './fs/open-file.js'
import { entryType } from './structs.js'

/** Bytes that an entry with the longest name takes. */
const LARGEST_ENTRY_BYTES = 280

/** Packs entries after the file's position into `[start, end)`; how many bytes it were. */
export function listDirectory(
  { memory, fileSystem }: HostContext,
  file: OpenFile,
  start: number,
  end: number,
): number {
  const { store, node } = file
  const { tree } = fileSystem.files
  let at = start
  const put = (name: string, id: number, type: number, cookie: number): boolean => {
    const length = Math.ceil((DIRENT.name + name.length + 1) / DIRENT.ALIGN) * DIRENT.ALIGN
    if (at + length > end) {
      // Not even one entry fits: an empty answer would mean the end of the directory.
      if (at === start) fail('EINVAL')
      return false
    }
    memory.bytes.fill(0, at, at + length)
    memory.setI64(at + DIRENT.ino, id)
    memory.setI64(at + DIRENT.off, cookie)
    memory.setU16(at + DIRENT.reclen, length)
    memory.setU8(at + DIRENT.type, type)
    memory.setText(at + DIRENT.name, name)
    at += length
    file.position = cookie
    return true
  }
  // Entries that come while it is read are left out: renaming what one finds must not go on for ever.
  if (file.listEnd === 0) file.listEnd = store.nextCookie(node)
  if (file.position < 1 && !put('.', node, entryType('directory'), 1)) return at - start
  if (file.position < 2 && !put('..', tree.parentOf(file).node, entryType('directory'), 2)) return at - start
  for (;;) {
    // Only as many as surely fit, so that the store can go on where it stopped.
    const count = Math.floor((end - at) / LARGEST_ENTRY_BYTES)
    if (count === 0 && at > start) return at - start
    const entries = store.list(node, file.position, Math.max(1, count))
    for (const { name, node: id, kind, cookie } of entries) {
      if (cookie >= file.listEnd || !put(name, id, entryType(kind), cookie)) return at - start
    }
    if (entries.length < Math.max(1, count)) return at - start
  }
}
