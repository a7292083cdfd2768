// Many tenants: forty customers, each with a spreadsheet of formulas, on four slots. A session is created when it is first needed, is
// stored in a directory while idle, and is still there the next time this program runs.
//
// In a clone, after `npm run build`: `node examples/run.mjs tenants [DIRECTORY]`
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, PythonError, SessionManager, TimeoutError } from 'brumate'

const directory = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'tenants-')))
await using manager = await SessionManager.create({
  slots: 4,
  store: new DirectoryStore(directory),
  limits: { executionTimeoutMs: 500, memoryBytes: 96 * 2 ** 20 },
})

/** Evaluates a cell's formula in its customer's session. An error becomes the cell's text. */
async function evaluate(customer: string, cell: string, formula: string): Promise<unknown> {
  const session = await manager.getOrCreate(`sheet-${customer}`, { tenant: customer })
  try {
    return (await session.execute(`${cell} = ${formula}\n${cell}`)).value
  } catch (error) {
    if (error instanceof PythonError) return `#${error.type}`
    if (error instanceof TimeoutError) return '#TIMEOUT'
    throw error
  }
}

const customers = Array.from({ length: 40 }, (_, n) => `customer-${n}`)
await Promise.all(customers.map((customer, n) => evaluate(customer, 'A1', `${n} + 1`)))
const sums = await Promise.all(customers.map((customer) => evaluate(customer, 'A2', 'A1 * 10')))
console.log(
  'A2 of all:',
  sums.reduce<number>((sum, value) => sum + Number(value), 0),
)

// A runaway formula costs its own customer half a second. No customer loses a value.
console.log('a mistake:', await evaluate('customer-1', 'A3', 'A1 / 0'))
console.log('a runaway:', await evaluate('customer-1', 'A3', '[1 for _ in iter(int, 1)]'))
console.log('its other cells:', await evaluate('customer-1', 'A4', 'A1 + A2'))
const { attached, dormant } = manager.stats()
console.log(`${attached + dormant} sessions, of which ${attached} have a slot now`)
