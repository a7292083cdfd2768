// The examples of README.md, run as a user would run them. An example is a ```ts block under `<!-- example -->`; what its
// `console.log` lines print is the comment at their end.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, inject, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

const examples = [...readme.matchAll(/<!-- example -->\n```ts\n(.*?)```/gs)].map(([, code = '']) => code)

function expectedOutput(code: string): string {
  const printed = [...code.matchAll(/console\.log\(.*\)+,? \/\/ (.*)$/gm)].map(([, text]) => text)
  return `${printed.join('\n')}\n`
}

describe('README.md', () => {
  test('has examples, each of which prints something', () => {
    expect(examples.length).toBeGreaterThanOrEqual(3)
    expect(examples.map(expectedOutput)).not.toContain('\n')
  })

  test.each(examples.map((code, i) => [i + 1, code] as const))(
    'example %i prints what it says',
    async (_, code) => {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      })
      // From the root of the package, where its own name leads to the build.
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', outputText],
        { cwd: root, env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) } },
      )
      expect(stdout).toBe(expectedOutput(code))
      expect(stderr).toBe('')
    },
  )

  test('the examples have no type errors', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.check.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const texts = new Map(examples.map((code, i) => [join(root, `readme-example-${i + 1}.ts`), code]))
    const host = ts.createCompilerHost(options)
    const { readFile, fileExists } = host
    host.readFile = (path) => texts.get(path) ?? readFile(path)
    host.fileExists = (path) => texts.has(path) || fileExists(path)
    const program = ts.createProgram([...texts.keys()], { ...options, noEmit: true }, host)
    const found = [...texts.keys()].flatMap((path) => {
      const file = program.getSourceFile(path)
      return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    })
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })

  test('every exported error is in its table', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const errors = [...api.matchAll(/^export declare class (\w+Error) /gm)].map(([, name]) => name)
    expect(errors.filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([])
  })

  test('every limit and option is in its table', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const names = ['Limits', 'ManagerOptions', 'PackageOptions', 'SessionOptions'].flatMap((type) => {
      const [, body = ''] = new RegExp(`interface ${type} {\\n(.*?)\\n}`, 's').exec(api) ?? []
      return [...body.matchAll(/(\w+)\??:/g)].map(([, name]) => name)
    })
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
  })
})
