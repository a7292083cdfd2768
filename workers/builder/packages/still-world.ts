// Makes a build independent of when and where it runs: clocks that stand still, and entropy that is always the same. Owns both, for the
// builder's thread.
import type { RandomSource } from '../../host/fs/file-io.js'
import { BUILD_EPOCH_MS } from '../realm.js'

/** Stops every clock in this thread, including the host's, for the rest of the thread's life. */
export function stopClocks(): void {
  Date.now = () => BUILD_EPOCH_MS
  // Not 0, which some code takes to mean "never".
  performance.now = () => 1
}

/** Makes a source of entropy for one host that is the same in every build. */
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
