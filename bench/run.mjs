// Runs the benchmarks from what the build compiled: `node bench/run.mjs [--json] [NAME...]`, or
// `node bench/run.mjs compare --before DIR [--rounds N] [--json] [NAME...]`. See bench/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

const script = process.argv[2] === 'compare' ? 'compare' : 'main'
await runBuilt(`bench/${script}.js`)
