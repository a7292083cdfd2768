// A world in which a build does not depend on when and where it runs: clocks that stand still and entropy that is always the same. Owns both,
// for the thread of the builder.
import { Host } from '../../host/host.js'
import { BUILD_EPOCH_MS } from '../realm.js'

/** Of every clock in this thread, the host's included. For the rest of the thread's life. */
export function stopClocks(): void {
  Date.now = () => BUILD_EPOCH_MS
  // Not 0, which some code takes for "never".
  performance.now = () => 1
}

/** A host whose entropy is the same in every build. */
export class StillHost extends Host {
  #memory: WebAssembly.Memory | undefined
  #state = 0x9e3779b9

  override imports(module: WebAssembly.Module): WebAssembly.Imports {
    const imports = super.imports(module)
    Object.assign(imports.wasi_snapshot_preview1 ?? {}, {
      random_get: (pointer: number, size: number) => {
        const bytes = new Uint8Array(this.#memory?.buffer ?? new ArrayBuffer(0))
        for (let at = pointer >>> 0; at < (pointer >>> 0) + (size >>> 0); at += 1)
          bytes[at] = this.#random32()
        return 0
      },
    })
    return imports
  }

  override bind(...[exports, probe]: Parameters<Host['bind']>): void {
    this.#memory = exports.memory
    super.bind(exports, probe)
  }

  #random32(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 0
  }
}
