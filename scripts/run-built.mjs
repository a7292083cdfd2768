// Runs a program of the repository from the output of `npm run build`. Owns the message if there is none.
import { existsSync } from 'node:fs'

/** @param path below dist/, such as `examples/tour.js` */
export async function runBuilt(path) {
  const file = new URL(`../dist/${path}`, import.meta.url)
  if (!existsSync(file)) {
    console.error(`dist/${path} is not there: run \`npm run build\` first, in a clone of the repository`)
    process.exit(2)
  }
  await import(file.href)
}
