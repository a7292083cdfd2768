// Two processes that take sessions from each other, from the build: `node chaos/moves.mjs [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/stores/moves.js', import.meta.url).href)
