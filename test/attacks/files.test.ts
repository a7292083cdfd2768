// Attacks of level L3 that are files: invalid or forged snapshots. Reading, restoring and forking each end in time, with a typed error or
// with the file's own state, and the session that rejects a file stays unchanged.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from '../security/support/child.js'
import { HostileBuild } from '../security/support/hostile-build.js'
import { attacksOf } from './support/corpus.js'

interface Outcome {
  readonly kind: 'taken' | 'refused'
  readonly typed?: boolean
  readonly error?: string
  readonly length?: number
}

/** CPU time. The snapshot tests measure what a file alone costs the main thread. */
const MAX_TURN_MS = 1000
const MAX_RSS_BYTES = 1500 * 2 ** 20
const MAX_MESSAGE_LENGTH = 2000
/** Loading a file that keeps a slot busy is aborted after this time, instead of ten seconds. */
const ATTACH_MS = 1500

describe('snapshot-files', () => {
  let child: Child<{ path: string }, { outcomes: Readonly<Record<string, Outcome>>; kept: string }>
  let build: HostileBuild
  beforeAll(() => {
    build = new HostileBuild()
    build.setConstant('src/session/take-over.js', 'ATTACH_MS', ATTACH_MS)
    child = new Child(new URL('support/file-suite.mjs', import.meta.url).href, {
      dist: build.dist,
      flags: ['--max-old-space-size=512'],
      maxRssBytes: 2 * MAX_RSS_BYTES,
    })
  })
  afterAll(async () => {
    await child?.close()
    build?.remove()
  })

  it.each(attacksOf('L3', ['snapshot-files']))('$id: $title', async ({ path }) => {
    const result = await child.run({ path })
    if (result.kind !== 'done') throw new Error(`the process ${result.kind}: ${JSON.stringify(result)}`)
    const { output, state } = result
    expect(state.uncaught).toEqual([])
    expect(state.polluted).toEqual([])
    for (const [way, { kind, typed, error, length = 0 }] of Object.entries(output.outcomes)) {
      if (kind === 'refused') expect(typed, `${way}: ${error}`).toBe(true)
      expect(length, `${way}: length of the message`).toBeLessThan(MAX_MESSAGE_LENGTH)
    }
    expect(output.kept, 'the session is as it was (N2)').toBe('[1,"two"]')
    expect(state.longestTurnMs, 'work of main without a turn, in ms').toBeLessThan(MAX_TURN_MS)
    expect(state.peakRssBytes, 'resident memory').toBeLessThan(MAX_RSS_BYTES)
  })
})
