// `npm run verify`: everything that has to hold before a change is taken, in the order that fails soonest. Each step is a
// command of its own; the first that fails ends the run with its exit code. `--json` prints a summary for machines on
// stdout and everything else on stderr.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const json = process.argv.includes('--json')
const colours = process.stdout.isTTY && !json ? [] : ['--colors=off']
const report = join('.reports', `tests-node${process.versions.node.split('.')[0]}.json`)

const STEPS = [
  { name: 'format and lint', command: [require.resolve('@biomejs/biome/bin/biome'), 'ci', ...colours, '.'] },
  { name: 'types', command: [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.check.json'] },
  { name: 'build', command: ['scripts/build.mjs'] },
  { name: 'public API', command: ['scripts/api.mjs'] },
  { name: 'packed tarball', command: ['scripts/installs.mjs'] },
  {
    name: 'tests',
    command: [
      join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  },
]

const results = []
for (const { name, command } of STEPS) {
  print(`\n▸ ${name}`)
  const startedMs = performance.now()
  const exitCode = await run(command)
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1))
  results.push({ name, ok: exitCode === 0, seconds })
  print(exitCode === 0 ? `✓ ${name} (${seconds} s)` : `✗ ${name} (${seconds} s, exit code ${exitCode})`)
  if (exitCode !== 0) break
}

const ok = results.length === STEPS.length && results.every((step) => step.ok)
const skipped = STEPS.slice(results.length).map(({ name }) => name)
if (json) console.log(JSON.stringify({ ok, node: process.version, steps: results, skipped }, null, 2))
print(`\n${results.map((step) => `${step.ok ? '✓' : '✗'} ${step.name} ${step.seconds} s`).join(', ')}`)
if (skipped.length > 0) print(`not run: ${skipped.join(', ')}`)
process.exitCode = ok ? 0 : 1

function run(command) {
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', json ? 2 : 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 1))
  })
}

function print(text) {
  process[json ? 'stderr' : 'stdout'].write(`${text}\n`)
}
