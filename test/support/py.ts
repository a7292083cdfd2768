// Python source in template strings, for tests and benchmarks: it must not import a test runner.

/** Python source: raw (a backslash is Python's), without the indentation of the TypeScript code around it. */
export function py(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const text = String.raw({ raw: parts.raw }, ...values)
  const lines = text.replace(/^\n/, '').trimEnd().split('\n')
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  const indent = Math.min(...indents)
  return lines.map((line) => line.slice(indent)).join('\n')
}
