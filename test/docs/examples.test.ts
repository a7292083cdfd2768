// Runs the examples of README.md and docs/ the way a user would. An example is a ```ts block under `<!-- example -->`, and the comment
// at the end of each `console.log` line is its expected output. Examples under `<!-- example with packages -->` need BRUMATE_WHEELS.
// Those under `<!-- example with a server -->` are only compiled: test/store has tests with such servers.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, inject, test } from 'vitest'
import { realImage, realImageOptions } from '../packages/support/real-image.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))
const wheels = process.env.BRUMATE_WHEELS

const examples = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/<!-- example(?: with (packages|a server))? -->\n```ts\n(.*?)```/gs)].map(
    ([, needed, code = ''], index) => ({
      name: `${name} ${index + 1}`,
      code,
      withPackages: needed === 'packages',
      withServer: needed === 'a server',
    }),
  ),
)

function textOf(page: string): string {
  return pages.find(({ name }) => name === page)?.text ?? ''
}

function expectedOutput(code: string): string {
  const printed = [...code.matchAll(/console\.log\(.*\)+,? \/\/ (.*)$/gm)].map(([, text]) => text)
  return `${printed.join('\n')}\n`
}

describe('examples', () => {
  test('each example prints something', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7)
    expect(examples.map(({ code }) => expectedOutput(code))).not.toContain('\n')
  })

  test.each(examples.filter(({ withPackages, withServer }) => (!withPackages || wheels) && !withServer))(
    '$name prints what its comments say',
    // The first test that needs the image builds it.
    { timeout: 240_000 },
    async ({ code: written, withPackages }) => {
      // Use the image that tests share, which has these packages, instead of building one with their newest versions.
      if (withPackages) await realImage()
      const code = withPackages
        ? written.replace(/packages: \[.*?\]/, JSON.stringify(realImageOptions()).slice(1, -1))
        : written
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      })
      // Run in the root of the package, where its own name resolves to the build.
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
    const texts = new Map(examples.map(({ code }, i) => [join(root, `example-${i + 1}.ts`), code]))
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
})

describe('README.md and docs', () => {
  test('the README has fewer than 250 lines', () => {
    expect(textOf('README.md').split('\n').length).toBeLessThan(250)
  })

  test.each(pages)('every link in $name leads to an existing file or heading', ({ name, text }) => {
    const prose = text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '')
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      return /^https?:/.test(target) ? [] : [target]
    })
    const lost = targets.filter((target) => {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? join(root, name) : join(root, dirname(name), path)
      return (
        !existsSync(file) ||
        (heading !== undefined && !headings(readFileSync(file, 'utf8')).includes(heading))
      )
    })
    expect(lost).toEqual([])
  })

  test('the README links to every page of docs', () => {
    const linked = pages.flatMap(({ name }) => (textOf('README.md').includes(`](${name})`) ? [name] : []))
    expect(['README.md', ...linked]).toEqual(pages.map(({ name }) => name))
  })

  test('docs/errors.md lists every exported error', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const errors = [...api.matchAll(/^export declare class (\w+Error) /gm)].map(([, name]) => name)
    expect(errors.filter((name) => !textOf('docs/errors.md').includes(`| \`${name}\` |`))).toEqual([])
  })

  test('docs/options.md lists every limit and option', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const names = ['Limits', 'ManagerOptions', 'PackageOptions', 'SessionOptions'].flatMap((type) => {
      const [, body = ''] = new RegExp(`interface ${type} {\\n(.*?)\\n}`, 's').exec(api) ?? []
      return [...body.matchAll(/(\w+)\??:/g)].map(([, name]) => name)
    })
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !textOf('docs/options.md').includes(`\`${name}\``))).toEqual([])
  })
})

/** The anchors of a page's headings, as used in links. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
