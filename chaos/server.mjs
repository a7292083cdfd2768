// Puts load on the HTTP server, from the build: `node chaos/server.mjs [options]`. See chaos/README.md.
import { runBuilt } from '../scripts/run-built.mjs'

await runBuilt('chaos/load.js', 'chaos/README.md')
