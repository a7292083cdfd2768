// The public API as text: every exported name with its declaration, from the build's own .d.ts files. `node scripts/api.mjs`
// compares it with docs/api.d.txt, and fails if they differ; `--write` replaces that file. This way, no change of the API goes
// unnoticed.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { SUBPATHS } from './subpaths.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entries = ['index', ...SUBPATHS].map((name) => join(root, `dist/src/${name}.d.ts`))
const path = join(root, 'docs/api.d.txt')

const program = ts.createProgram(entries, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: [],
})
const checker = program.getTypeChecker()
const [library, ...subpaths] = entries.map(exportsOf)
const sections = subpaths.flatMap((texts, i) => [`// ── brumate/${SUBPATHS[i]} ──`, ...texts])
const exported = [...library, ...subpaths.flat()]
const actual = `${['// Written by `node scripts/api.mjs --write`.', ...library, ...sections].join('\n\n')}\n`

if (process.argv.includes('--write')) {
  writeFileSync(path, actual)
  console.log(`docs/api.d.txt: ${exported.length} names`)
} else {
  const expected = read(path)
  if (actual !== expected) {
    console.error('The public API is not the one in docs/api.d.txt:\n')
    console.error(difference(expected.split('\n'), actual.split('\n')).join('\n'))
    console.error('\nIf that is meant: node scripts/api.mjs --write, and a line in CHANGELOG.md.')
    process.exit(1)
  }
  console.log(`${exported.length} names, all as in docs/api.d.txt`)
}

/** The declarations of an entry, sorted by name. Types that the library itself exports are not repeated. */
function exportsOf(entry) {
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) {
    console.error(`${entry} is missing: run \`npm run build\``)
    process.exit(2)
  }
  const symbols = checker.getExportsOfModule(module).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  requireExported(entry, source, symbols)
  return symbols
    .filter((symbol) => entry === entries[0] || !isOfLibrary(symbol))
    .map((symbol) => declarationsOf(symbol, source))
}

/** The build puts an entry's declarations into one file. Users would see a type that it does not export, but could not import it. */
function requireExported(entry, source, symbols) {
  const exported = new Set(symbols.map(({ name }) => name))
  const hidden = source.statements.flatMap(({ name }) => (name && !exported.has(name.text) ? name.text : []))
  if (hidden.length === 0) return
  console.error(
    `Public types of ${entry} mention names that it does not export: ${hidden.join(', ')}. Export or inline them.`,
  )
  process.exit(1)
}

function isOfLibrary(symbol) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return (target.declarations ?? []).every(
    (declaration) => declaration.getSourceFile().fileName === entries[0],
  )
}

function declarationsOf(symbol, source) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const texts = (target.declarations ?? []).map(print)
  const isType = source.statements.some(
    (statement) =>
      ts.isExportDeclaration(statement) &&
      statement.exportClause &&
      ts.isNamedExports(statement.exportClause) &&
      statement.exportClause.elements.some(
        ({ name, isTypeOnly }) => name.text === symbol.name && (isTypeOnly || statement.isTypeOnly),
      ),
  )
  return [`// ${symbol.name}${isType ? ' (type only)' : ''}`, ...texts].join('\n')
}

/** Omits comments, private members and anything marked as internal, because none of these is part of the API. */
function print(declaration) {
  const visible = (member) =>
    !(member.name && ts.isPrivateIdentifier(member.name)) &&
    !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) &&
    !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal')
  const shown = ts.isClassDeclaration(declaration)
    ? ts.factory.updateClassDeclaration(
        declaration,
        declaration.modifiers,
        declaration.name,
        declaration.typeParameters,
        declaration.heritageClauses,
        declaration.members.filter(visible),
      )
    : declaration
  const text = ts
    .createPrinter({ removeComments: true })
    .printNode(ts.EmitHint.Unspecified, shown, declaration.getSourceFile())
  // In the build's single file, exports are a list at the end.
  return text.startsWith('export ') ? text : `export ${text}`
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Lines that are only on one side; enough to see what changed. */
function difference(expected, actual) {
  const only = (lines, others, sign) =>
    lines.filter((line) => !others.includes(line)).map((line) => `${sign} ${line}`)
  return [...only(expected, actual, '-'), ...only(actual, expected, '+')]
}
