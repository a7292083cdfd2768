// Sessions at work in one storage, and a checker: `node bench/stress.mjs [SECONDS] [SESSIONS] [HOST DIRECTORY]`. Default 60 s, 8 sessions.
await import(new URL('../dist/bench/stress.js', import.meta.url).href)
