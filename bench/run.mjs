// Runs the benchmarks from what the build compiled: `node bench/run.mjs [--json] [NAME...]`. See bench/README.md.
await import(new URL('../dist/bench/main.js', import.meta.url).href)
