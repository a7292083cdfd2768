// Runs the examples of README.md and docs/ the way a user would; scripts/doc-examples.mjs finds them. The comment at the end of each
// `console.log` line is its expected output. Examples with packages need BRUMATE_WHEELS. Examples with a server do not run here: test/store
// has tests with such servers. `npm run types` checks the types of all of them.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { examples, pages } from '../../scripts/doc-examples.mjs'
import { realImage, realImageOptions } from '../packages/support/real-image.js'
import { ExampleProcess } from './support/example-process.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wheels = process.env.BRUMATE_WHEELS

let started: ExampleProcess | undefined
/** Examples share a process, until one ends it or does not end. */
function shared(): ExampleProcess {
  if (!started?.isFree) {
    started?.kill()
    started = new ExampleProcess(dirname(inject('cacheDir')))
  }
  return started
}
afterAll(() => started?.kill())

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
    async ({ name, code: written, withPackages }) => {
      // Use the image that tests share, which has these packages, instead of building one with their newest versions.
      if (withPackages) await realImage()
      const code = withPackages
        ? written.replace(/packages: \[.*?\]/, JSON.stringify(realImageOptions()).slice(1, -1))
        : written
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      })
      const { stdout, stderr, failure } = await shared().run(name, outputText)
      expect(failure, stderr).toBe(undefined)
      expect(stdout).toBe(expectedOutput(code))
      expect(stderr).toBe('')
    },
  )

  test('an example leaves nothing behind that keeps its process from ending', async () => {
    await shared().run('nothing', '')
    expect(await shared().end()).toBe(0)
  })

  test('an example that ends its process, or never ends, fails alone', async () => {
    await expect(shared().run('ending', 'setImmediate(() => process.exit(3))')).rejects.toThrow(
      'ending ended',
    )
    const endless = expect(shared().run('endless', 'await new Promise(() => {})')).rejects.toThrow(
      'endless ended',
    )
    expect(await shared().run('next', 'console.log(1)')).toEqual({ stdout: '1\n', stderr: '' })
    await endless
  })

  test('a warning is output of the example that caused it', async () => {
    const { stderr } = await shared().run('warning', "process.emitWarning('too old')")
    expect(stderr).toContain('Warning: too old')
    expect(await shared().run('next', '')).toEqual({ stdout: '', stderr: '' })
  })

  test('an example does not see files of earlier ones', async () => {
    await shared().run('writing', "import { writeFileSync } from 'node:fs'\nwriteFileSync('file', '')")
    const { stdout } = await shared().run(
      'reading',
      "import { readdirSync } from 'node:fs'\nconsole.log(readdirSync('.'))",
    )
    expect(stdout).toBe('[]\n')
  })
})

describe('README.md and docs', () => {
  test('the README has fewer than 250 lines', () => {
    expect(textOf('README.md').split('\n').length).toBeLessThan(250)
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
