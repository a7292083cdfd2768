// What the image's SQLite believes of the system it runs on. Owns one word of its memory: that files cannot be mapped by two at once,
// which they cannot be here (workers/host/mapping.ts).
import type { StockInterpreter } from './realm.js'

/** `struct sqlite3_io_methods`: a version and the addresses of eighteen functions. */
const WORDS = 19
const VERSION = 3
const SHM_MAP = 13
/** Of locks; the methods with POSIX locks and those without any have all others in common. */
const DIFFERENT = new Set([1, 7, 8, 9, SHM_MAP])
const COMMON = Array.from({ length: WORDS }, (_, index) => index).filter((index) => !DIFFERENT.has(index))

/**
 * Without `xShmMap` SQLite knows that a write-ahead log with an index in shared memory is not to be had: `PRAGMA journal_mode=wal`
 * answers the mode that stays, as on systems without shared memory. With it, it would write into the database that there is a
 * log, and then find out: nobody could read it any more.
 */
export function forbidSharedMaps({ exports }: StockInterpreter): void {
  const words = new Int32Array(exports.memory.buffer)
  const [methods, ...more] = methodsWithLocks(words)
  if (methods === undefined || more.length > 0)
    throw new Error('the methods of SQLite’s files were not found')
  words[methods + SHM_MAP] = 0
}

/** They are nowhere exported: they are what differs as they do from those without locks, which have no `xShmMap` from the start. */
function methodsWithLocks(words: Int32Array): number[] {
  const [withMap, withoutMap]: [number[], number[]] = [[], []]
  for (let at = words.indexOf(VERSION); at >= 0; at = words.indexOf(VERSION, at + 1)) {
    if (at + WORDS > words.length || COMMON.some((index) => (words[at + index] ?? 0) <= 0)) continue
    ;(words[at + SHM_MAP] === 0 ? withoutMap : withMap).push(at)
  }
  const alike = (a: number, b: number) => COMMON.every((index) => words[a + index] === words[b + index])
  return withMap.filter((at) => withoutMap.some((other) => alike(at, other)))
}
