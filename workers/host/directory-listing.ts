// Lists a directory for `getdents64`. Owns the layout of entries in the interpreter's memory, and what a listing shows if the directory
// changes meanwhile.
import { DIRENT } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { OpenFile } from './fs/open-file.js'
import { entryType } from './structs.js'

/** Size of an entry with the longest name. */
const LARGEST_ENTRY_BYTES = 280

/** Packs entries after the file's position into `[start, end)`. Returns how many bytes it wrote. */
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
      // Not even one entry fits. Returning 0 would mean the end of the directory.
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
  // Leave out entries that were added since the listing began, so that a program that renames each entry it lists comes to an end.
  if (file.listEnd === 0) file.listEnd = store.nextCookie(node)
  if (file.position < 1 && !put('.', node, entryType('directory'), 1)) return at - start
  if (file.position < 2 && !put('..', tree.parentOf(file).node, entryType('directory'), 2)) return at - start
  for (;;) {
    // Ask for only as many as are sure to fit, so that the store can continue where it stopped.
    const count = Math.floor((end - at) / LARGEST_ENTRY_BYTES)
    if (count === 0 && at > start) return at - start
    const entries = store.list(node, file.position, Math.max(1, count))
    for (const { name, node: id, kind, cookie } of entries) {
      if (cookie >= file.listEnd || !put(name, id, entryType(kind), cookie)) return at - start
    }
    if (entries.length < Math.max(1, count)) return at - start
  }
}
