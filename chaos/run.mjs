// Runs the chaos suite from the build: `npm run chaos -- [options]`. See chaos/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

await runBuilt('chaos/main.js', 'chaos/README.md')
