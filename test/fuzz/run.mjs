// Runs the fuzzers from what the build compiled: `npm run fuzz -- [options]`. See CONTRIBUTING.md.
await import(new URL('../../dist/test/fuzz/main.js', import.meta.url).href)
