// The last chapter, a real job: a CSV goes in as a value, is analysed over several executions with csv, sqlite3 and
// statistics, and the findings come back as a value.
import type { SessionManager } from 'brumate'
import type { Narrator } from './narrator.js'
import { makeOrders } from './orders.js'

export async function analysis(manager: SessionManager, narrator: Narrator): Promise<void> {
  narrator.chapter('A real job: 4,000 orders')
  const orders = makeOrders(4_000)
  await using session = await manager.createSession()
  await session.set('orders_csv', orders.csv)
  narrator.say(`set: orders_csv = ${orders.csv.length.toLocaleString('en')} characters of CSV`, '')

  await narrator.run(
    session,
    `
import csv, io
from decimal import Decimal

orders = list(csv.DictReader(io.StringIO(orders_csv)))
for order in orders:
    order['cents'] = int(Decimal(order['unit_price']) * 100) * int(order['quantity'])
print(f'{len(orders):,} orders; the first: {orders[0]}')`,
  )
  await narrator.run(
    session,
    `
import sqlite3

db = sqlite3.connect(':memory:')
db.execute('create table orders (id integer primary key, date text, region text, product text, cents integer)')
db.executemany('insert into orders values (:order_id, :date, :region, :product, :cents)', orders)
by_region = dict(db.execute('select region, sum(cents) from orders group by region order by 2 desc'))
for region, cents in by_region.items():
    print(f'{region:<6}{cents / 100:>14,.2f}')`,
  )
  await narrator.run(
    session,
    `
import statistics

months = db.execute('select substr(date, 1, 7), sum(cents) from orders group by 1 order by 1').fetchall()
revenues = [cents / 100 for _, cents in months]
mean, deviation = statistics.mean(revenues), statistics.stdev(revenues)
for month, cents in months:
    print(month, '#' * round(cents / 100 / max(revenues) * 50))`,
  )
  await narrator.run(
    session,
    `
best_month = max(months, key=lambda row: row[1])[0]
product, sold = db.execute('select product, count(*) from orders group by 1 order by 2 desc, 1').fetchone()
report = {
    'orders': len(orders),
    'revenue_cents': sum(by_region.values()),
    'best_region': next(iter(by_region)),
    'best_month': best_month,
    'monthly_mean': round(mean, 2),
    'monthly_deviation': round(deviation, 2),
    'quartiles': [round(cut, 2) for cut in statistics.quantiles(revenues)],
    'most_ordered': {'product': product, 'orders': sold},
}`,
  )
  const report = await session.get('report')
  narrator.say('get: report =')
  narrator.say(...JSON.stringify(report, null, 2).split('\n'))
  const found = isReport(report) ? report.revenue_cents : undefined
  const agrees = found === orders.revenueCents
  narrator.say('', `JavaScript counted the same revenue while making the rows: ${agrees ? 'yes' : 'NO'}.`)
  narrator.fact('report', report)
  narrator.fact('revenueAgrees', agrees)
}

function isReport(value: unknown): value is { readonly revenue_cents: unknown } {
  return typeof value === 'object' && value !== null && 'revenue_cents' in value
}
