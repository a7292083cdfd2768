// Sessions working in one storage, and a check of the result: `node bench/stress.mjs [SECONDS] [SESSIONS] [HOST DIRECTORY]`. Default 60 s,
// 8 sessions.
await import(new URL('../dist/bench/stress.js', import.meta.url).href)
