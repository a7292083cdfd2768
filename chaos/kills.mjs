// Kills processes that have sessions in a store, from the build: `node chaos/kills.mjs [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/stores/kills.js', import.meta.url).href)
