// What a process loads before its first result: nothing that only some programs use.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ENTRY = fileURLToPath(new URL('../dist/src/index.js', import.meta.url))

/** Whether loading the package has loaded these, which are CommonJS. */
const CODE = `
import { createRequire } from 'node:module'
await import(process.argv[1])
const { cache } = createRequire(process.argv[1])
console.log(JSON.stringify(Object.keys(cache)))
`

test('importing brumate loads neither ajv nor Piscina', () => {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', CODE, ENTRY], {
    encoding: 'utf8',
  })
  const loaded: string[] = JSON.parse(output)
  const packages = loaded.map((path) => /node_modules[\\/](?<name>[^\\/]+)/.exec(path)?.groups?.name)
  expect([...new Set(packages)]).toEqual([])
})
