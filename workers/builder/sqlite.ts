// Tells the image's SQLite that two processes cannot map a file at the same time, because shared mappings are not shared here
// (workers/host/mapping.ts). Owns one word of SQLite's memory.
import type { StockInterpreter } from './realm.js'

/** `struct sqlite3_io_methods`: a version and the addresses of eighteen functions. */
const WORDS = 19
const VERSION = 3
const SHM_MAP = 13
/** Methods for locks. The method table with POSIX locks and the one without locks differ only in these. */
const DIFFERENT = new Set([1, 7, 8, 9, SHM_MAP])
const COMMON = Array.from({ length: WORDS }, (_, index) => index).filter((index) => !DIFFERENT.has(index))

/**
 * Without `xShmMap`, SQLite knows that it cannot have a write-ahead log with an index in shared memory: `PRAGMA journal_mode=wal` returns
 * the unchanged mode, as on systems without shared memory. With `xShmMap`, SQLite would record in the database that there is a log, and
 * only then find out that the index does not work: the database would be unreadable.
 */
export function forbidSharedMaps({ exports }: StockInterpreter): void {
  const words = new Int32Array(exports.memory.buffer)
  const [methods, ...more] = methodsWithLocks(words)
  if (methods === undefined || more.length > 0)
    throw new Error('the methods of SQLite’s files were not found')
  words[methods + SHM_MAP] = 0
}

/**
 * Finds the methods with POSIX locks, which are not exported: they have all other methods in common with those without locks, which have no
 * `xShmMap` in the first place.
 */
function methodsWithLocks(words: Int32Array): number[] {
  const [withMap, withoutMap]: [number[], number[]] = [[], []]
  for (let at = words.indexOf(VERSION); at >= 0; at = words.indexOf(VERSION, at + 1)) {
    if (at + WORDS > words.length || COMMON.some((index) => (words[at + index] ?? 0) <= 0)) continue
    ;(words[at + SHM_MAP] === 0 ? withoutMap : withMap).push(at)
  }
  const alike = (a: number, b: number) => COMMON.every((index) => words[a + index] === words[b + index])
  return withMap.filter((at) => withoutMap.some((other) => alike(at, other)))
}
