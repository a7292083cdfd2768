// A program written for E2B, with only its import changed. It streams output, uses two contexts, and reconnects to its sandbox
// after a pause.
//
// In a clone, after `npm run build`: `node examples/run.mjs e2b`
import { Sandbox } from 'brumate/e2b' // was: '@e2b/code-interpreter'

const sandbox = await Sandbox.create({ metadata: { user: 'ada' } })

await sandbox.files.write('sales.csv', 'region,amount\nnorth,120\nsouth,80\nnorth,40\n')
const code = `
import csv
from collections import Counter

totals = Counter()
for row in csv.DictReader(open('sales.csv')):
    print('read', row['region'])
    totals[row['region']] += int(row['amount'])
dict(totals)`
const execution = await sandbox.runCode(code, {
  onStdout: ({ line }) => process.stdout.write(line),
  onError: ({ name, value }) => console.error(`${name}: ${value}`),
})
console.log('totals:', execution.text)

// Another context has its own variables, and shares the files.
const context = await sandbox.createCodeContext()
const other = await sandbox.runCode("open('sales.csv').readline().strip(), 'totals' in globals()", {
  context,
})
console.log('in another context:', other.text)

const failed = await sandbox.runCode("totals['west'] / 0")
console.log('an error:', failed.error?.name, failed.error?.value)

// Possibly hours later.
await sandbox.pause()
const again = await Sandbox.connect(sandbox.sandboxId)
console.log('after a pause:', (await again.runCode('totals.most_common(1)')).text)
await again.kill()
