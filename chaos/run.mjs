// Runs the chaos suite from what the build compiled: `npm run chaos -- [options]`. See chaos/README.md.
await import(new URL('../dist/chaos/main.js', import.meta.url).href)
