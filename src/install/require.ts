/** `require` as of that file. Node's own: bundlers read `createRequire` as theirs to resolve, and Jest replaces it. */
export function requireFrom(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}
