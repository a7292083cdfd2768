// The compiler that the build and the check of types run: TypeScript 7, which is native and takes a quarter of the time. Tools that use the
// compiler's API, such as typedoc and rollup-plugin-dts, need TypeScript 6, which is installed as `typescript`.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export const TSC = join(
  dirname(createRequire(import.meta.url).resolve('typescript-7/package.json')),
  'bin/tsc',
)
