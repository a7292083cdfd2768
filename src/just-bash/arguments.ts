// The command line of `python3`, as CPython interprets it. Owns parsing it.

/** The program to run. `argv` is Python's `sys.argv`. */
export type Program =
  | { readonly kind: 'code'; readonly code: string; readonly argv: readonly string[] }
  | { readonly kind: 'module'; readonly name: string; readonly argv: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly argv: readonly string[] }
  | { readonly kind: 'stdin'; readonly argv: readonly string[] }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'fault'; readonly message: string }

/** Options of CPython that have no effect here. */
const IGNORED = /^-[bBdEIOPqsSuvx]+$/
const IGNORED_WITH_VALUE = /^-[WX]/

export function programOf(args: readonly string[]): Program {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    const rest = args.slice(at + 1)
    if (arg === '-') return { kind: 'stdin', argv: ['-', ...rest] }
    if (arg === '--') return rest.length === 0 ? { kind: 'stdin', argv: [''] } : fileOf(rest)
    if (!arg.startsWith('-')) return fileOf(args.slice(at))
    if (arg === '-V' || arg === '--version') return { kind: 'version' }
    if (arg === '-h' || arg === '--help' || arg === '-?') return { kind: 'help' }
    const [, flag, joined = ''] = /^-[bBdEIOPqsSuvx]*([cm])(.*)$/s.exec(arg) ?? []
    if (flag !== undefined) {
      const [value, ...argv] = joined === '' ? rest : [joined, ...rest]
      if (value === undefined) return { kind: 'fault', message: `argument expected for the -${flag} option` }
      return flag === 'c'
        ? { kind: 'code', code: value, argv: ['-c', ...argv] }
        : { kind: 'module', name: value, argv: ['-m', ...argv] }
    }
    if (IGNORED_WITH_VALUE.test(arg)) at += arg.length === 2 ? 1 : 0
    else if (!IGNORED.test(arg)) return { kind: 'fault', message: `unknown option ${arg}` }
  }
  return { kind: 'stdin', argv: [''] }
}

function fileOf([path = '', ...rest]: readonly string[]): Program {
  return { kind: 'file', path, argv: [path, ...rest] }
}
