// Puts the public declarations into one file. Owns that file; rollup-plugin-dts does the work. Members marked @internal are not in what it
// gets (`stripInternal`).
import { readFileSync, writeFileSync } from 'node:fs'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'

/** What the declarations use that a program may not have switched on: Node's types, and `await using`. */
const HEAD = '/// <reference types="node" />\n/// <reference lib="esnext.disposable" />'

/** Writes what `entry` declares to `file`. */
export async function writeTypes(entry, file = entry, plugins = []) {
  const exported = new Set(exportsOf(entry, false))
  const bundle = await rollup({ input: entry, external: /^(?![./])/, plugins: [...plugins, dts()] })
  await bundle.write({ file, format: 'es', banner: HEAD })
  await bundle.close()
  // The plugin exports a class as a value although the entry exports it as a type only: a program could import what is not there.
  const surplus = exportsOf(file, false).filter((name) => !exported.has(name))
  if (surplus.length > 0) writeFileSync(file, asTypes(readFileSync(file, 'utf8'), surplus))
}

/** Names that a file exports as values (false) or as types only (true). */
function exportsOf(file, wantsTypes) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const declared = source.statements.flatMap((statement) => {
    const isValue = ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement)
    const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    return isValue && isExported && !wantsTypes ? [statement.name.text] : []
  })
  const listed = source.statements
    .filter((statement) => ts.isExportDeclaration(statement) && ts.isNamedExports(statement.exportClause))
    .flatMap(({ isTypeOnly, exportClause }) =>
      exportClause.elements
        .filter((element) => (isTypeOnly || element.isTypeOnly) === wantsTypes)
        .map(({ name }) => name.text),
    )
  return [...declared, ...listed]
}

function asTypes(text, names) {
  return text.replace(/^export \{ (.+) \};$/m, (_, list) => {
    const values = list.split(', ').filter((name) => !names.includes(name))
    return `export { ${values.join(', ')} };\nexport type { ${names.join(', ')} };`
  })
}
