// How much the linker accepts. Owns the limits: V8's own, where a merged module could exceed them although none of its parts does, and
// ours, which bound the time and memory that hostile libraries can cost. The 262 libraries of numpy, scipy, pandas and 11 other wheels use
// a quarter of the bytes, a sixth of the parts, and at most a tenth of everything else.

const MIB = 2 ** 20

export const LIMITS = {
  libraries: 2000,
  /** Bytes of all libraries together. */
  libraryBytes: 256 * MIB,
  /** Types, imports, functions, exports, table entries and so on, of all libraries together. */
  parts: 2_000_000,
  /** Memory that all libraries together need at run time. */
  memoryBytes: 1024 * MIB,
  /** A library's memory, and its part of the table, may be aligned to 2 ** this. */
  alignmentExponent: 16,
  /** Table entries that all libraries together add. */
  tableEntries: 1_000_000,
  /** V8's limit on functions in a module. */
  functions: 1_000_000,
  /** V8's limit on the bytes of a function. Renumbering can make a function longer. */
  functionBytes: 7_654_321,
  /** V8's limit on types in a module. */
  types: 1_000_000,
  /** Needed libraries that a library names, and runtime paths. */
  neededLibraries: 100,
  /** Length of such a name. */
  pathLength: 1024,
  /** Lookups of needed libraries in folders, for all libraries together. */
  pathLookups: 200_000,
  /** Memory writes of a library's start function. */
  startWrites: 1000,
  /** Lookups of symbols in libraries, for all libraries together. */
  lookups: 5_000_000,
  /** Longest chain of libraries that each export a function that they import. */
  reexports: 64,
} as const
