// `npm run verify`: all checks that a change must pass, in stages, with those that fail soonest first. Each step is a separate command, and
// the steps of a stage run concurrently. After a stage with a failed step the run stops, with that step's exit code.
// `--json` prints a summary for machines on stdout, and everything else on stderr.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const json = process.argv.includes('--json')
const colours = process.stdout.isTTY && !json ? [] : ['--colors=off']
const report = join('.reports', `tests-node${process.versions.node.split('.')[0]}.json`)

const STAGES = [
  [
    {
      name: 'format and lint',
      command: [require.resolve('@biomejs/biome/bin/biome'), 'ci', ...colours, '.'],
    },
    { name: 'types', command: ['scripts/check-types.mjs'] },
    // The step beside it checks the types of the same files.
    { name: 'build', command: ['scripts/build.mjs', '--no-check'] },
  ],
  [
    { name: 'public API', command: ['scripts/api.mjs'] },
    { name: 'packed tarball', command: ['scripts/installs.mjs'] },
    { name: 'documentation site', command: ['scripts/site.mjs'] },
  ],
  [
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
  ],
]

const results = []
for (const stage of STAGES) {
  results.push(...(await Promise.all(stage.map((step) => take(step, stage.length > 1)))))
  if (results.some(({ ok }) => !ok)) break
}

const steps = STAGES.flat()
const ok = results.length === steps.length && results.every((step) => step.ok)
const skipped = steps.slice(results.length).map(({ name }) => name)
if (json) console.log(JSON.stringify({ ok, node: process.version, steps: results, skipped }, null, 2))
print(`\n${results.map((step) => `${step.ok ? '✓' : '✗'} ${step.name} ${step.seconds} s`).join(', ')}`)
if (skipped.length > 0) print(`not run: ${skipped.join(', ')}`)
process.exitCode = ok ? 0 : 1

/** Runs a step. If others run at the same time, its output is shown when it has ended. */
async function take({ name, command }, isShared) {
  print(`▸ ${name}`)
  const startedMs = performance.now()
  const { exitCode, output } = await run(command, isShared)
  const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1))
  const outcome =
    exitCode === 0 ? `✓ ${name} (${seconds} s)` : `✗ ${name} (${seconds} s, exit code ${exitCode})`
  print(`${output}${outcome}`)
  return { name, ok: exitCode === 0, seconds }
}

function run(command, isShared) {
  const out = json ? 2 : 'inherit'
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', ...(isShared ? ['pipe', 'pipe'] : [out, 'inherit'])],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ exitCode: code ?? signal ?? 1, output }))
  })
}

function print(text) {
  process[json ? 'stderr' : 'stdout'].write(`${text}\n`)
}
