// Bundles the public declarations into one file. Owns that file; rollup-plugin-dts does the work. Members marked @internal have been
// removed from its input (`stripInternal`).
import { readFileSync, writeFileSync } from 'node:fs'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'

/** References that the declarations need and a program may not have enabled: Node's types, and `await using`. */
const HEAD = '/// <reference types="node" />\n/// <reference lib="esnext.disposable" />'

/** Bundles the declarations of `entry` into `file`. */
export async function writeTypes(entry, file = entry, plugins = []) {
  const exported = new Set(exportsOf(entry, false))
  const bundle = await rollup({ input: entry, external: /^(?![./])/, plugins: [...plugins, dts()] })
  await bundle.write({ file, format: 'es', banner: HEAD })
  await bundle.close()
  // If the entry exports a class only as a type, the plugin exports it as a value: a program could then import what does not exist.
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
