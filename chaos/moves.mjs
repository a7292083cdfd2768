// Two processes that take sessions from each other, from the build: `node chaos/moves.mjs [options]`. See chaos/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

await runBuilt('chaos/stores/moves.js', 'chaos/README.md')
