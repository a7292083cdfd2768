// Hibernates and wakes one session over and over: `node bench/freezing.mjs [CYCLES]`. Default 10,000.
await import(new URL('../dist/bench/freezing.js', import.meta.url).href)
