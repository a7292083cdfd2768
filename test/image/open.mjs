// Opens the image with the cache directory of the first argument and prints what happened.
const { openImage } = await import(new URL('../../dist/src/image/open.js', import.meta.url).href)
const progress = []
const { id } = await openImage({ cacheDir: process.argv[2], onProgress: (step) => progress.push(step) })
process.stdout.write(JSON.stringify({ id, progress, node: process.version }))
