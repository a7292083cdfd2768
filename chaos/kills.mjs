// Kills processes that have sessions in a store, from the build: `node chaos/kills.mjs [options]`. See chaos/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

await runBuilt('chaos/stores/kills.js', 'chaos/README.md')
