// What a process loads before its first result: no module that only some programs need.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ENTRY = fileURLToPath(new URL('../dist/src/index.js', import.meta.url))
const OPEN_TELEMETRY = fileURLToPath(new URL('../dist/src/opentelemetry.js', import.meta.url))

/** Prints the CommonJS modules that loading the package has loaded; the packages to watch for are CommonJS. */
const CODE = `
import { createRequire } from 'node:module'
await import(process.argv[1])
const { cache } = createRequire(process.argv[1])
console.log(JSON.stringify(Object.keys(cache)))
`

/** Names of the packages that importing a file loads. */
function packagesOf(entry: string): (string | undefined)[] {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', CODE, entry], {
    encoding: 'utf8',
  })
  const loaded: string[] = JSON.parse(output)
  const packages = loaded.map((path) => /node_modules[\\/](?<name>[^\\/]+)/.exec(path)?.groups?.name)
  return [...new Set(packages)]
}

test('importing brumate loads neither ajv nor msgpackr nor Piscina', () => {
  expect(packagesOf(ENTRY)).toEqual([])
})

test('only brumate/opentelemetry ever loads OpenTelemetry', () => {
  expect(packagesOf(OPEN_TELEMETRY)).toEqual(['@opentelemetry'])
  const folder = new URL('../dist/src/bundle/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
  expect(files).toContain('index.js')
  expect(
    files.filter((name) => readFileSync(new URL(name, folder), 'utf8').includes('@opentelemetry')),
  ).toEqual([])
})

test('importing brumate reads few files, because each file takes about half a millisecond', () => {
  const read = filesOf('../dist/src/index.js')
  expect(read.size).toBeGreaterThan(1)
  expect(read.size).toBeLessThan(6)
})

test('brumate run does not load the package resolver, and brumate inspect does not load the manager', () => {
  const program = new URL('../dist/src/program/', import.meta.url)
  // The bundler chooses the names of chunks; comments in them say which modules they hold.
  const module = (path: string) => `\n// dist/src/${path}.js\n`
  const has = (command: string, path: string) => {
    const chunk = readdirSync(program).find((name) =>
      readFileSync(new URL(name, program), 'utf8').includes(module(`cli/commands/${command}`)),
    )
    return [...filesOf(`../dist/src/program/${chunk}`).values()].some((code) => code.includes(module(path)))
  }
  expect(has('lock', 'packages/resolver')).toBe(true)
  expect(has('run', 'manager')).toBe(true)
  expect(has('run', 'packages/resolver')).toBe(false)
  expect(has('inspect', 'manager')).toBe(false)
})

/** The file and its static imports, transitively, with their text. */
function filesOf(path: string): Map<string, string> {
  const read = new Map<string, string>()
  const follow = (file: URL) => {
    if (read.has(file.href)) return
    const text = readFileSync(file, 'utf8')
    read.set(file.href, text)
    for (const [, path] of text.matchAll(/^(?:import|export) (?:.*from )?["'](\..+)["']/gm))
      follow(new URL(path as string, file))
  }
  follow(new URL(path, import.meta.url))
  return read
}
