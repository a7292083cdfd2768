// The package's sub-paths, `brumate/NAME`, read from `exports` of package.json. The entry of each is src/NAME/index.ts.
import { readFileSync } from 'node:fs'

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

export const SUBPATHS = Object.keys(exports).flatMap((path) => {
  const name = path.slice(2)
  return name === '' || name === 'package.json' ? [] : name
})
