// Kills service processes of the Restate example, from the build: `node chaos/restate.mjs [options]`. See chaos/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

await runBuilt('chaos/restate/run.js', 'chaos/README.md')
