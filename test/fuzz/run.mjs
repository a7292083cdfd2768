// Runs the fuzzers from what the build compiled: `npm run fuzz -- [options]`. See CONTRIBUTING.md.
import { runBuilt } from '../../scripts/run-built.mjs'

await runBuilt('test/fuzz/main.js')
