// `npm run bench`: which parts run, in which order, and where their rows go. A part is a function from a Context to rows. The header
// of its file says what it measures.
import { parseArgs } from 'node:util'
import { type Context, makeContext } from './context.js'
import { boot } from './parts/boot.js'
import { callbacks } from './parts/callbacks.js'
import { compute } from './parts/compute.js'
import { create } from './parts/create.js'
import { cycles } from './parts/cycles.js'
import { deltas } from './parts/deltas.js'
import { execute } from './parts/execute.js'
import { files } from './parts/files.js'
import { hostile } from './parts/hostile.js'
import { memory } from './parts/memory.js'
import { output } from './parts/output.js'
import { packages } from './parts/packages.js'
import { sessions } from './parts/sessions.js'
import { snapshot } from './parts/snapshot.js'
import { stopping } from './parts/stopping.js'
import { stored } from './parts/stored.js'
import { throughput } from './parts/throughput.js'
import { type Report, type Row, reportAsTable } from './report.js'

type Part = (context: Context) => Promise<readonly Row[]>

const PARTS: Readonly<Record<string, Part>> = {
  boot,
  create,
  execute,
  output,
  files,
  memory,
  snapshot,
  callbacks,
  throughput,
  compute,
  sessions,
  stored,
  deltas,
  stopping,
  hostile,
  packages,
  cycles,
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const names = positionals.length > 0 ? positionals : Object.keys(PARTS)
const unknown = names.filter((name) => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are: ${Object.keys(PARTS).join(', ')}`)
  process.exit(2)
}

const startedMs = performance.now()
const context = await makeContext((text) => process.stderr.write(`${text}\n`))
const rows: Row[] = []
for (const name of names) {
  const part = PARTS[name]
  if (part === undefined) continue
  const partStartedMs = performance.now()
  context.progress(`${name} ...`)
  try {
    rows.push(...(await part(context)).map((row) => ({ ...row, part: name })))
  } catch (error) {
    // Other parts still run.
    context.progress(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`)
    process.exitCode = 1
  }
  context.progress(`${name}: ${((performance.now() - partStartedMs) / 1000).toFixed(1)} s`)
}
const report: Report = {
  ...context.machine,
  durationSeconds: Math.round((performance.now() - startedMs) / 1000),
  rows,
}
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : reportAsTable(report))
