// A world in which a build does not depend on when and where it runs: clocks that stand still and entropy that is always the same. Owns both,
// for the thread of the builder.
import type { RandomSource } from '../../host/fs/file-io.js'
import { BUILD_EPOCH_MS } from '../realm.js'

/** Of every clock in this thread, the host's included. For the rest of the thread's life. */
export function stopClocks(): void {
  Date.now = () => BUILD_EPOCH_MS
  // Not 0, which some code takes for "never".
  performance.now = () => 1
}

/** Entropy that is the same in every build, for one host. */
export function stillRandom(): RandomSource {
  let state = 0x9e3779b9
  return (into, start, end) => {
    for (let at = start; at < end; at += 1) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      into[at] = state >>> 0
    }
  }
}
