// The tour (`npm run tour`): shows what a session does by running it. Owns the order of the chapters; the chapters are in tour/, and
// tour/narrator.ts formats them for a terminal. `--json` prints the results instead of the story.
import { SessionManager } from 'brumate'
import { analysis } from './tour/analysis.js'
import { basics } from './tour/basics.js'
import { freezing } from './tour/freezing.js'
import { Narrator } from './tour/narrator.js'
import { stopping } from './tour/stopping.js'
import { tenants } from './tour/tenants.js'

const narrator = new Narrator({ json: process.argv.includes('--json') })

const startedMs = performance.now()
await using manager = await SessionManager.create({ slots: 6 })
narrator.title('brumate: Python sessions for Node')
narrator.say(`The interpreter's image is open after ${Math.round(performance.now() - startedMs)} ms.`)

await basics(manager, narrator)
await stopping(manager, narrator)
await freezing(manager, narrator)
await tenants(manager, narrator)
await analysis(manager, narrator)

const { counters, histograms } = manager.stats()
narrator.chapter('The end')
narrator.say(
  `${counters.executions} executions in ${counters.sessions} sessions, ${counters.timeouts} of them stopped by a time limit.`,
  `Half of them took less than ${histograms.execute.p50Ms.toFixed(2)} ms.`,
)
narrator.fact('sessions', counters.sessions)
narrator.fact('executions', counters.executions)
narrator.fact('timeouts', counters.timeouts)
narrator.end()
