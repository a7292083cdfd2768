// Runs a program of the repository from what `npm run build` has compiled. Owns what it says if there is nothing.
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
