// Kills service processes of the Restate example, from the build: `node chaos/restate.mjs [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/restate/run.js', import.meta.url).href)
