// Random bytes for the interpreter, straight from the operating system: nothing is kept that a snapshot could repeat. Owns the
// one import for them; /dev/urandom is fs/file-io.ts's.
import type { HostContext } from './context.js'
import { fillRandom } from './fs/file-io.js'
import type { ImportFunction } from './guard.js'

export function entropyImports({ memory }: HostContext): Readonly<Record<string, ImportFunction>> {
  return {
    random_get: (pointer: number, size: number) => {
      const start = memory.range(pointer, size >>> 0)
      fillRandom(memory.bytes, start, start + (size >>> 0))
      return 0
    },
  }
}
