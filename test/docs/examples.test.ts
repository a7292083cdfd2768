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
/** Examples share a process. */
function shared(): ExampleProcess {
  started ??= new ExampleProcess(dirname(inject('cacheDir')))
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
