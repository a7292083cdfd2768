// How much the linker takes. Owns the limits: V8's own, where a merged module could go past them although none of its parts does, and ours,
// which bound the time and memory that hostile libraries can cost. The 262
// libraries of numpy, scipy, pandas and 11 other wheels use a quarter of the bytes, a sixth of the parts, and at most a tenth of
// everything else.

const MIB = 2 ** 20

export const LIMITS = {
  libraries: 2000,
  /** Of all libraries together. */
  libraryBytes: 256 * MIB,
  /** Types, imports, functions, exports, table entries and so on, of all libraries together. */
  parts: 2_000_000,
  /** That the libraries want when they run, together. */
  memoryBytes: 1024 * MIB,
  /** A library's memory, and its part of the table, may be aligned to 2 ** this. */
  alignmentExponent: 16,
  /** Entries that the libraries add, together. */
  tableEntries: 1_000_000,
  /** V8's limit of functions in a module. */
  functions: 1_000_000,
  /** V8's limit of a function's bytes. Renumbering can make a function longer. */
  functionBytes: 7_654_321,
  /** V8's limit of types in a module. */
  types: 1_000_000,
  /** Libraries and folders that a library names: `needed`, runtime paths. */
  neededLibraries: 100,
  /** Of such a name. */
  pathLength: 1024,
  /** Folders where needed libraries are looked for, for all libraries together. */
  pathLookups: 200_000,
  /** Writes into memory by a library's start function. */
  startWrites: 1000,
  /** Places where symbols are looked for, for all libraries together. */
  lookups: 5_000_000,
  /** Libraries that export a function that they import, in a row. */
  reexports: 64,
} as const
