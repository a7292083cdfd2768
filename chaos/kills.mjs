// Kills processes with sessions in a store, from what the build compiled: `node chaos/kills.mjs [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/stores/kills.js', import.meta.url).href)
