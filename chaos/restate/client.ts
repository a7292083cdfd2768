// The client of one session: runs one execution after another, and checks each. Owns their code, and the results that it must have.
import { isDeepStrictEqual } from 'node:util'
import type { ExecuteReply, PendingAnswer } from 'brumate/restate'
import type { Cluster } from '../../examples/restate/cluster.js'
import { pause } from '../stores/say.js'

const ORDERS_PER_SESSION = 1_000_000
/** One execution in APPROVED asks for an approval; one in RAISING raises at its end. */
const APPROVED = 4
const RAISING = 5
const LOOK_MS = 100

export class Client {
  readonly id: string
  readonly #cluster: Cluster
  readonly #firstOrder: number
  readonly #violate: (what: string) => void
  /** Executions that have returned. */
  count = 0
  /** Approved calls. Until the execution has received the answer, one may be approved again, which has no effect. */
  readonly approvals = new Set<string>()
  #isEnding = false

  constructor(index: number, cluster: Cluster, violate: (what: string) => void) {
    this.id = `session-${index}`
    this.#firstOrder = index * ORDERS_PER_SESSION
    this.#cluster = cluster
    this.#violate = (what) => violate(`${this.id}: ${what}`)
  }

  /** Never rejects. Resolves when the last execution has returned after `end`. */
  async run(): Promise<void> {
    await this.#run().catch((error: unknown) =>
      this.#violate(`execution ${this.count + 1}: ${String(error)}`),
    )
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const n = this.count + 1
      const reply = (await this.#cluster.call(this.id, 'execute', { code: this.#code(n) })) as ExecuteReply
      this.count = n
      const found = describe(reply)
      const expected = this.#expected(n)
      if (!isDeepStrictEqual(found, expected))
        this.#violate(
          `execution ${n} returned ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
        )
    }
  }

  end(): void {
    this.#isEnding = true
  }

  /** Answers calls that wait for a human, until `signal` aborts. Never rejects. */
  async approve(signal: AbortSignal): Promise<void> {
    await this.#approve(signal).catch((error: unknown) => {
      // After a run that hangs, the server is stopped.
      if (!signal.aborted) this.#violate(`approving: ${String(error)}`)
    })
  }

  async #approve(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(LOOK_MS)
      const pending = (await this.#cluster.call(this.id, 'pending')) as readonly PendingAnswer[]
      for (const { id, args } of pending) {
        const { what } = args as { readonly what: string }
        // Another request may have answered it since it was listed.
        await this.#cluster.call(this.id, 'resume', { results: { [id]: what } }).then(
          () => this.approvals.add(what),
          (error: Error) => {
            if (!error.message.includes(' 404 ')) this.#violate(error.message)
          },
        )
      }
    }
  }

  /** Checks the state and the outside effects after all executions. */
  async check(refunds: ReadonlyMap<number, number>): Promise<void> {
    const log = await this.#cluster.call(this.id, 'get', 'log')
    const expected = Array.from({ length: this.count }, (_, i) => [i + 1, -(i + 1)]).flat()
    if (!isDeepStrictEqual(log, expected)) this.#violate(`its log is ${JSON.stringify(log)}`)
    for (let n = 1; n <= this.count; n += 1)
      for (const order of this.#orders(n)) {
        const times = refunds.get(order) ?? 0
        if (times !== 1) this.#violate(`order ${order} of execution ${n} was paid back ${times} times`)
      }
  }

  #orders(n: number): readonly [number, number] {
    return [this.#firstOrder + 2 * n, this.#firstOrder + 2 * n + 1]
  }

  #code(n: number): string {
    const [a, b] = this.#orders(n)
    return `
import asyncio
log = globals().get('log', [])
log.append(len(log) // 2 + 1)
print('before', flush=True)
calls = [refund(${a}), refund(${b})]
${n % APPROVED === 0 ? `calls.append(approve(what='${n}'))` : ''}
results = await asyncio.gather(*calls)
print('after')
log.append(-(len(log) // 2 + 1))
${n % RAISING === 0 ? `raise ValueError(len(log))` : ''}
[len(log), results]`
  }

  #expected(n: number): unknown {
    const stdout = 'before\nafter\n'
    if (n % RAISING === 0) return { stdout, message: `ValueError: ${2 * n}` }
    const receipts: string[] = this.#orders(n).map((order) => `receipt ${order}`)
    const results = n % APPROVED === 0 ? [...receipts, `${n}`] : receipts
    return { stdout, value: [2 * n, results], executionCount: n }
  }
}

function describe(reply: ExecuteReply): unknown {
  const { stdout } = reply
  return reply.status === 'failed'
    ? { stdout, message: reply.error.message }
    : { stdout, value: reply.value, executionCount: reply.executionCount }
}
