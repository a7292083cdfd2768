// The modules that a file loads, read from their syntax trees. Owns the walk over this project's own files; other modules are listed
// but not entered.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

export interface ModuleGraph {
  /** URLs of our own files. */
  readonly files: readonly string[]
  /** Specifiers of packages and of Node's own modules. */
  readonly outside: readonly string[]
  /** Code that could load or create code at run time, as "file: text". */
  readonly dynamic: readonly string[]
}

export function moduleGraph(entry: string): ModuleGraph {
  const files = new Set<string>()
  const outside = new Set<string>()
  const dynamic: string[] = []
  const todo = [entry]
  for (let url = todo.pop(); url !== undefined; url = todo.pop()) {
    if (files.has(url)) continue
    files.add(url)
    const path = fileURLToPath(url)
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
    for (const specifier of staticImports(source)) {
      if (specifier.startsWith('.')) todo.push(new URL(specifier, url).href)
      else outside.add(specifier)
    }
    for (const text of dynamicCode(source)) dynamic.push(`${path}: ${text}`)
  }
  return { files: [...files].sort(), outside: [...outside].sort(), dynamic }
}

/** The file that a package specifier resolves to. */
export function resolvePackage(specifier: string, from: string): string {
  return pathToFileURL(createRequire(from).resolve(specifier)).href
}

function staticImports(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ initializer }) => required(initializer))
    const loads = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)
    const specifier = loads ? statement.moduleSpecifier : undefined
    return specifier !== undefined && ts.isStringLiteral(specifier) ? [specifier.text] : []
  })
}

/** The specifier of a plain `require('name')`, which a CommonJS file uses in a declaration as an import. */
function required(node: ts.Node | undefined): string[] {
  if (node === undefined || !ts.isCallExpression(node)) return []
  const [specifier, ...more] = node.arguments
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  return isRequire && specifier && ts.isStringLiteral(specifier) && more.length === 0 ? [specifier.text] : []
}

/** Names whose use creates code from text, or gives access to a loader. */
const MAKERS = [
  'eval',
  'Function',
  'require',
  'createRequire',
  'getBuiltinModule',
  'compileFunction',
  'runInThisContext',
]

function dynamicCode(source: ts.SourceFile): string[] {
  const found: string[] = []
  const isStatic = ({ parent }: ts.Node) =>
    required(parent).length > 0 &&
    ts.isVariableDeclaration(parent.parent) &&
    parent.parent.parent.parent.parent === source
  const visit = (node: ts.Node): void => {
    const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
    const isMaker = ts.isIdentifier(node) && MAKERS.includes(node.text) && !isStatic(node)
    // `new WebAssembly.Module(...)` with other bytes than the image's would be code other than the one module.
    const isCompile = ts.isPropertyAccessExpression(node) && node.getText() === 'WebAssembly.Module'
    const isMeta = ts.isMetaProperty(node)
    if (isImport || isMaker || isMeta || (isCompile && ts.isNewExpression(node.parent)))
      found.push(node.getText())
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The names among these that functions of the file read as variables, and that nothing in the file declares. */
export function namesReadInFunctions(url: string, names: ReadonlySet<string>): string[] {
  const path = fileURLToPath(url)
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const [read, declared] = [new Set<string>(), new Set<string>()]
  const visit = (node: ts.Node, isInFunction: boolean): void => {
    if (ts.isIdentifier(node) && names.has(node.text)) {
      const use = useOf(node)
      if (use === 'declared') declared.add(node.text)
      else if (use === 'read' && isInFunction) read.add(node.text)
    }
    ts.forEachChild(node, (child) => visit(child, isInFunction || ts.isFunctionLike(node)))
  }
  visit(source, false)
  return [...read].filter((name) => !declared.has(name)).sort()
}

function useOf(node: ts.Identifier): 'declared' | 'read' | 'property' {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node ? 'read' : 'property'
  if ('propertyName' in parent && parent.propertyName === node) return 'property'
  if (!('name' in parent) || parent.name !== node || ts.isShorthandPropertyAssignment(parent)) return 'read'
  const isVariable = ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)
  return isVariable || ts.isFunctionDeclaration(parent) || ts.isClassDeclaration(parent)
    ? 'declared'
    : 'property'
}
