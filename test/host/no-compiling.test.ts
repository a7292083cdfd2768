// Imports run on top of frames of guest code, and must not compile a regular expression or create a formatter or decoder: that takes
// more stack than anything else the host does, and V8 ends the process if the stack is too small (R1).
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, it } from 'vitest'

/** Everything an import can reach is imported from these: the host, and the handling of output. */
const ROOTS = ['../../workers/host/host.ts', '../../workers/slot/output.ts']
const BUILDERS = ['RegExp', 'TextDecoder', 'TextEncoder']
/** These methods convert their argument to a regular expression. */
const PATTERN_METHODS = ['match', 'matchAll', 'search']

it('R1: no import compiles a regular expression or creates a formatter or decoder; they are created with the host', () => {
  const files = reachable(ROOTS.map((path) => new URL(path, import.meta.url)))
  expect(files.size).toBeGreaterThan(30)
  const found = [...files].flatMap(([path, source]) => compiled(source).map((what) => `${path}: ${what}`))
  // Allowed for time.tzset, and only if `hasStackForIntl`.
  const allowed = "src/shared/time-zone.ts: new Intl.DateTimeFormat('en-US', { timeZone })"
  expect(found.filter((what) => !what.endsWith(allowed))).toEqual([])
})

it('control: the check finds them in an example', () => {
  const code = `const a = (t: string) => /x/.test(t)
    class B { c() { return new Intl.DateTimeFormat() } d = () => new TextDecoder(); constructor() { new Intl.DateTimeFormat() } }
    a.b.match('x')`
  const source = ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true)
  expect(compiled(source)).toEqual([
    '/x/',
    'new Intl.DateTimeFormat()',
    'new TextDecoder()',
    "a.b.match('x')",
  ])
})

function reachable(roots: readonly URL[]): Map<string, ts.SourceFile> {
  const found = new Map<string, ts.SourceFile>()
  const todo = [...roots]
  for (let url = todo.pop(); url !== undefined; url = todo.pop()) {
    const path = url.pathname.slice(url.pathname.indexOf('/workers/') + 1)
    // The table of imports is assembled from text once, at load time.
    if (found.has(path) || path.startsWith('workers/host/table/')) continue
    const source = ts.createSourceFile(path, readFileSync(url, 'utf8'), ts.ScriptTarget.Latest, true)
    found.set(path, source)
    for (const statement of source.statements) {
      if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly) continue
      const { text } = statement.moduleSpecifier as ts.StringLiteral
      if (text.startsWith('.')) todo.push(new URL(text.replace(/\.js$/, '.ts'), url))
    }
  }
  return found
}

/** Finds uses outside constructors and property initializers, which run with the constructor. */
function compiled(source: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node, inConstructor: boolean): void => {
    const made =
      ts.isRegularExpressionLiteral(node) ||
      (ts.isNewExpression(node) && isBuilder(node.expression.getText(source))) ||
      (ts.isCallExpression(node) &&
        (isBuilder(node.expression.getText(source)) ||
          (ts.isPropertyAccessExpression(node.expression) &&
            PATTERN_METHODS.includes(node.expression.name.text))))
    // A regular expression is compiled at its first use, wherever it is created.
    if (made && (!inConstructor || ts.isRegularExpressionLiteral(node))) found.push(node.getText(source))
    const within =
      ts.isConstructorDeclaration(node) || ts.isPropertyDeclaration(node)
        ? true
        : ts.isFunctionLike(node) && !isCallback(node)
          ? false
          : inConstructor
    ts.forEachChild(node, (child) => visit(child, within))
  }
  visit(source, false)
  return found
}

/** A function called by the one it is passed to, such as `map`. */
function isCallback(node: ts.Node): boolean {
  return ts.isArrowFunction(node) && ts.isCallExpression(node.parent)
}

function isBuilder(text: string): boolean {
  return BUILDERS.includes(text) || text.startsWith('Intl.')
}
