// Runs the fuzzers as compiled by the build: `npm run fuzz -- [options]`. See CONTRIBUTING.md.
import { runBuilt } from '../../scripts/run-built.mjs'

await runBuilt('test/fuzz/main.js')
