// Environment markers of PEP 508, such as `python_version >= "3.9" and extra == "socks"`. Owns parsing and evaluating them; target.ts
// has the values of the variables.
import { canonicalName } from './names.js'
import type { Scanner } from './scanner.js'
import { accepts, parseSpecifiers } from './specifiers.js'
import { parseVersion } from './version.js'

export type MarkerVariable =
  | 'implementation_name'
  | 'implementation_version'
  | 'os_name'
  | 'platform_machine'
  | 'platform_python_implementation'
  | 'platform_release'
  | 'platform_system'
  | 'platform_version'
  | 'python_full_version'
  | 'python_version'
  | 'sys_platform'

/** Values of the variables of one Python. `extra` is passed separately, because it depends on the requirement. */
export type MarkerEnvironment = Readonly<Record<MarkerVariable, string>>

type Operand = { readonly variable: MarkerVariable | 'extra' } | { readonly text: string }

export type Marker =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Marker[] }
  | { readonly kind: 'compare'; readonly left: Operand; readonly operator: string; readonly right: Operand }

const VARIABLE =
  /(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)|platform[._](?:version|machine|python_implementation)|python_implementation|implementation_(?:name|version)|extra)\b/y
const TEXT = /'[^']*'|"[^"]*"/y
const OPERATOR = /===|==|~=|!=|<=|>=|<|>|in\b|not[ \t]+in\b/y
const AND = /and\b/y
const OR = /or\b/y
/** Deepest parentheses. Nobody needs deeper ones, and they would overflow the stack. */
const MAX_DEPTH = 50

const VERSIONS: ReadonlySet<string> = new Set([
  'implementation_version',
  'platform_release',
  'python_full_version',
  'python_version',
])

/** Parses a marker up to its end. @throws RequirementSyntaxError */
export function parseMarker(scanner: Scanner, depth = 0): Marker {
  if (depth > MAX_DEPTH) scanner.fail(`at most ${MAX_DEPTH} nested parentheses`)
  const alternatives = [parseAnd(scanner, depth)]
  while (scanner.take(OR) !== undefined) alternatives.push(parseAnd(scanner, depth))
  return { kind: 'or', parts: alternatives }
}

function parseAnd(scanner: Scanner, depth: number): Marker {
  const parts = [parseAtom(scanner, depth)]
  while (scanner.take(AND) !== undefined) parts.push(parseAtom(scanner, depth))
  return { kind: 'and', parts }
}

function parseAtom(scanner: Scanner, depth: number): Marker {
  if (scanner.skip('(')) {
    const marker = parseMarker(scanner, depth + 1)
    if (!scanner.skip(')')) scanner.fail('")"')
    return marker
  }
  const left = parseOperand(scanner)
  const operator = scanner.take(OPERATOR) ?? scanner.fail('an operator of markers')
  return { kind: 'compare', left, operator: operator.replace(/\s+/, ' '), right: parseOperand(scanner) }
}

function parseOperand(scanner: Scanner): Operand {
  const text = scanner.take(TEXT)
  if (text !== undefined) return { text: text.slice(1, -1) }
  const name = scanner.take(VARIABLE)?.replace('.', '_')
  if (name === undefined) scanner.fail('a variable of markers, or text in quotes')
  const variable = name === 'python_implementation' ? 'platform_python_implementation' : name
  return { variable: variable as MarkerVariable | 'extra' }
}

/** @param extra the extra that the package is required with; an empty text for none */
export function evaluateMarker(marker: Marker, environment: MarkerEnvironment, extra: string): boolean {
  switch (marker.kind) {
    case 'and':
      return marker.parts.every((part) => evaluateMarker(part, environment, extra))
    case 'or':
      return marker.parts.some((part) => evaluateMarker(part, environment, extra))
    case 'compare': {
      const name =
        ('variable' in marker.left && marker.left.variable) ||
        ('variable' in marker.right && marker.right.variable)
      const textOf = (operand: Operand) => {
        if ('variable' in operand) return operand.variable === 'extra' ? extra : environment[operand.variable]
        return name === 'extra' ? canonicalName(operand.text) : operand.text
      }
      return compare(name || '', textOf(marker.left), marker.operator, textOf(marker.right))
    }
  }
}

/** Compares as versions if the variable has one and the right side can be a specifier, otherwise as text. */
function compare(name: string, left: string, operator: string, right: string): boolean {
  if (VERSIONS.has(name)) {
    const specifiers = /[<>=~!]/.test(operator) ? parseSpecifiers(`${operator}${right}`) : undefined
    if (specifiers && specifiers.length === 1) {
      const version = parseVersion(left)
      return version !== undefined && accepts(specifiers, version)
    }
  }
  switch (operator) {
    case 'in':
      return right.includes(left)
    case 'not in':
      return !right.includes(left)
    case '==':
    case '<=':
    case '>=':
      return left === right
    case '!=':
      return left !== right
    default:
      return false
  }
}
