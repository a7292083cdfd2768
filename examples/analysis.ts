// Data analysis: a CSV file goes in, pandas works on it over several executions, and a table and a figure come out.
//
// In a clone, after `npm run build`: `node examples/run.mjs analysis [FIGURE.png]`. The first run builds an image with pandas and
// matplotlib, and fetches their wheels.
import { writeFile } from 'node:fs/promises'
import { SessionManager } from 'brumate'

const CSV = `date,region,cents
2026-01-03,north,1950
2026-01-20,south,700
2026-02-11,north,4200
2026-02-12,south,1100
2026-03-01,north,3000
`

await using manager = await SessionManager.create({ packages: ['pandas', 'matplotlib'], slots: 1 })
await using session = await manager.createSession()
await session.files.writeFile('/home/pyodide/orders.csv', CSV)

const { repr } = await session.execute(`
import pandas as pd
orders = pd.read_csv('orders.csv', parse_dates=['date'])
monthly = orders.pivot_table(index=orders.date.dt.to_period('M'), columns='region', values='cents', aggfunc='sum') / 100
monthly`)
console.log(repr)

// Later calls use the variables of earlier ones.
const { displays } = await session.execute(`monthly.fillna(0).plot(kind='bar', title='Revenue');`)
const figure = displays[0]?.['image/png']
if (figure === undefined || typeof figure === 'string') throw new Error('there is no figure')
console.log(`a figure of ${Math.round(figure.length / 1000)} KB`)
if (process.argv[2] !== undefined) await writeFile(process.argv[2], figure)
