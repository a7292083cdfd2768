// One session frozen and thawed over and over: `node bench/freezing.mjs [CYCLES]`. Default 10,000.
await import(new URL('../dist/bench/freezing.js', import.meta.url).href)
