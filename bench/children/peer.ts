// A process that measures one peer in one group of rows, once. Sends the samples to its parent. Arguments: the peer; the group, or
// `version` to report only the peer's version; the directory of wheels, if any.
import { GROUPS } from '../peers/groups.js'
import { openPeer } from '../peers/open.js'
import { Cannot, type PeerName } from '../peers/peer.js'
import { type RowResult, Samples } from '../peers/samples.js'

/** Messages to the parent. */
export interface PeerReport {
  /** Set on the last report. Earlier ones have the rows so far. */
  readonly complete?: true
  readonly missing?: true
  readonly version?: string
  readonly rows?: Readonly<Record<string, RowResult>>
  readonly details?: Readonly<Record<string, string>>
}

const [name, groupName, wheels] = process.argv.slice(2)
const samples = new Samples(() => process.send?.({ rows: samples.rows }))
const report = await measured(name as PeerName)
process.send?.({ ...report, complete: true } satisfies PeerReport, () => process.exit(0))

async function measured(name: PeerName): Promise<PeerReport> {
  const group = GROUPS.find((one) => one.name === groupName)
  try {
    const peer = await openPeer(name, {
      ...(group?.sessions === undefined ? {} : { sessions: group.sessions }),
      ...(group?.packages === true && wheels !== undefined ? { wheels } : {}),
    })
    if (peer === undefined) return { missing: true }
    if (group === undefined) return { version: await peer.version() }
    if (group.packages === true && (name === 'monty' || name === 'python3'))
      throw new Cannot(name === 'monty' ? 'has no packages' : 'left out: other wheels')
    await group.measure(peer, samples)
    await peer.close()
  } catch (error) {
    if (!(error instanceof Cannot)) throw error
    for (const { id } of group?.rows ?? []) samples.cannot(id, error.message)
  }
  return { rows: samples.rows, details: samples.details }
}
