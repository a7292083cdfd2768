// A year of orders as CSV, the same on every run. Owns the data of the tour's last chapter, and the result that the analysis has to find.

export interface Orders {
  readonly csv: string
  readonly count: number
  /** In cents, added up while the rows were made. The analysis has to find this number. */
  readonly revenueCents: number
}

const REGIONS = ['north', 'south', 'east', 'west'] as const
const PRODUCTS = [
  ['lamp', 3490],
  ['desk', 24900],
  ['chair', 8950],
  ['shelf, oak', 12900],
  ['cable "2 m"', 990],
] as const

/** Summer sells more, so that there is something to find. */
function season(dayOfYear: number): number {
  return 1 + Math.sin(((dayOfYear - 80) / 365) * 2 * Math.PI) / 2
}

export function makeOrders(count: number): Orders {
  const random = generator(20_260_101)
  const lines = ['order_id,date,region,product,quantity,unit_price']
  let revenueCents = 0
  for (let id = 1; id <= count; id++) {
    const dayOfYear = 1 + Math.floor(random() * 365)
    const date = new Date(Date.UTC(2025, 0, dayOfYear)).toISOString().slice(0, 10)
    const region = pick(REGIONS, random())
    const [product, cents] = pick(PRODUCTS, random())
    const quantity = 1 + Math.floor(random() * 4 * season(dayOfYear))
    revenueCents += quantity * cents
    lines.push([id, date, region, field(product), quantity, (cents / 100).toFixed(2)].join(','))
  }
  return { csv: `${lines.join('\r\n')}\r\n`, count, revenueCents }
}

function field(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function pick<T>(items: readonly T[], at: number): T {
  const item = items[Math.floor(at * items.length)]
  if (item === undefined) throw new RangeError(`no item at ${at}`)
  return item
}

/** Numbers in [0, 1) that are the same on every machine (a linear congruential generator). */
function generator(seed: number): () => number {
  let state = seed % 2_147_483_647
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
