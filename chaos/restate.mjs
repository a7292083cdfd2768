// Kills service processes of the Restate example, from what the build compiled: `node chaos/restate.mjs [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/restate/run.js', import.meta.url).href)
