// Runs the benchmarks from the build: `node bench/run.mjs [--json] [NAME...]`, or
// `node bench/run.mjs compare --before DIR [--rounds N] [--json] [NAME...]`, or `node bench/run.mjs peers`. See bench/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

const scripts = { compare: 'compare', peers: 'peers/main' }
await runBuilt(`bench/${scripts[process.argv[2]] ?? 'main'}.js`, 'bench/README.md')
