/** Returns `require` for a file. Gets `createRequire` from Node itself, because bundlers interpret an imported one and Jest replaces it. */
export function requireFrom(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}
