// The examples of README.md and docs/, run as a user would run them: scripts/doc-examples.mjs finds them. What the `console.log` lines of
// an example print is the comment at their end. Those with packages need wheels: BRUMATE_WHEELS. Those with a server do not run here:
// test/store has tests with such servers. `npm run types` checks the types of all of them.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, inject, test } from 'vitest'
import { examples, pages } from '../../scripts/doc-examples.mjs'
import { realImage, realImageOptions } from '../packages/support/real-image.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const wheels = process.env.BRUMATE_WHEELS

function textOf(page: string): string {
  return pages.find(({ name }) => name === page)?.text ?? ''
}

function expectedOutput(code: string): string {
  const printed = [...code.matchAll(/console\.log\(.*\)+,? \/\/ (.*)$/gm)].map(([, text]) => text)
  return `${printed.join('\n')}\n`
}

describe('examples', () => {
  test('each prints something', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7)
    expect(examples.map(({ code }) => expectedOutput(code))).not.toContain('\n')
  })

  test.each(examples.filter(({ withPackages, withServer }) => (!withPackages || wheels) && !withServer))(
    '$name prints what it says',
    // The first to ask for the image builds it.
    { timeout: 240_000 },
    async ({ code: written, withPackages }) => {
      // The image that tests share, which has these packages, instead of one of their newest versions.
      if (withPackages) await realImage()
      const code = withPackages
        ? written.replace(/packages: \[.*?\]/, JSON.stringify(realImageOptions()).slice(1, -1))
        : written
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
})

describe('README.md and docs', () => {
  test('the README is short enough to be read', () => {
    expect(textOf('README.md').split('\n').length).toBeLessThan(250)
  })

  test('every page of docs is reached from the README', () => {
    const linked = pages.flatMap(({ name }) => (textOf('README.md').includes(`](${name})`) ? [name] : []))
    expect(['README.md', ...linked]).toEqual(pages.map(({ name }) => name))
  })

  test('every exported error is in its table', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const errors = [...api.matchAll(/^export declare class (\w+Error) /gm)].map(([, name]) => name)
    expect(errors.filter((name) => !textOf('docs/errors.md').includes(`| \`${name}\` |`))).toEqual([])
  })

  test('every limit and option is in its table', () => {
    const api = readFileSync(join(root, 'docs/api.d.txt'), 'utf8')
    const names = ['Limits', 'ManagerOptions', 'PackageOptions', 'SessionOptions'].flatMap((type) => {
      const [, body = ''] = new RegExp(`interface ${type} {\\n(.*?)\\n}`, 's').exec(api) ?? []
      return [...body.matchAll(/(\w+)\??:/g)].map(([, name]) => name)
    })
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !textOf('docs/options.md').includes(`\`${name}\``))).toEqual([])
  })
})
