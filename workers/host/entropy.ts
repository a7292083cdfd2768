// Random bytes for the interpreter, straight from the operating system: there is no generator state that a snapshot could repeat. Owns the
// one import for them; fs/file-io.ts owns their source, which also serves /dev/urandom.
import type { HostContext } from './context.js'
import type { ImportFunction } from './guard.js'

export function entropyImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context
  return {
    random_get: (pointer: number, size: number) => {
      const start = memory.range(pointer, size >>> 0)
      context.fileSystem.io.fillRandom(memory.bytes, start, start + (size >>> 0))
      return 0
    },
  }
}
