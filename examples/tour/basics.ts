// Chapters on what one execution leaves for the next, on errors, and on starting over.
import { PythonError, type SessionManager } from 'brumate'
import type { Narrator } from './narrator.js'

export async function basics(manager: SessionManager, narrator: Narrator): Promise<void> {
  await using session = await manager.createSession()

  narrator.chapter('Variables, functions, classes and imports stay')
  await narrator.run(session, 'principal = 1_000\nrate = 0.05')
  await narrator.run(
    session,
    `
def after(years):
    return round(principal * (1 + rate) ** years, 2)

after(10)`,
  )
  await narrator.run(
    session,
    `
from dataclasses import dataclass
from decimal import Decimal

@dataclass
class Account:
    owner: str
    balance: Decimal = Decimal(0)

    def pay_in(self, amount):
        self.balance += Decimal(amount)
        return self

account = Account('Ada').pay_in('19.99')`,
  )
  const paid = await narrator.run(session, "account.pay_in('0.01')")
  if ('result' in paid) narrator.fact('account', paid.result.repr ?? null)

  narrator.say('`await` works at top level, and tasks run side by side:', '')
  await narrator.run(
    session,
    `
import asyncio

async def later(word, seconds):
    await asyncio.sleep(seconds)
    return word

await asyncio.gather(later('one', 0.02), later('two', 0.01))`,
  )
  narrator.say(`That was execution number ${session.executionCount}.`)
  narrator.fact('executionCount', session.executionCount)

  narrator.chapter('Values cross as values, not as text')
  await session.set('scores', { ada: [9, 7.5, 10], grace: [8, 9] })
  narrator.say('set: scores = { ada: [9, 7.5, 10], grace: [8, 9] }', '')
  await narrator.run(session, 'best = {name: max(points) for name, points in scores.items()}')
  const best = await session.get('best')
  narrator.say(`get: best = ${JSON.stringify(best)}`)
  narrator.fact('best', best)

  narrator.chapter('Errors are the code’s own, with line numbers, and end nothing')
  const failed = await narrator.run(session, "print('before')\nafter('ten')")
  if ('error' in failed && failed.error instanceof PythonError) {
    narrator.say(
      `type: ${failed.error.type}, written before it failed: ${JSON.stringify(failed.error.stdout)}`,
    )
    narrator.fact('errorType', failed.error.type)
    narrator.fact('errorTraceback', failed.error.traceback)
  }
  await narrator.run(session, 'after(1)')

  narrator.chapter('Starting again')
  narrator.say('clearState() takes the names away, and what they held; the count goes on:', '')
  await session.clearState()
  const cleared = await narrator.run(session, "'account' in globals()")
  if ('result' in cleared) narrator.fact('accountAfterClear', cleared.result.value ?? null)
  narrator.say(`executionCount: ${session.executionCount}`, '')
  narrator.say('reset() gives a fresh interpreter, whatever was done to the old one:', '')
  await narrator.run(session, 'import math\nmath.pi = 3\nmath.pi')
  await session.reset()
  const fresh = await narrator.run(session, 'import math\nmath.pi > 3')
  if ('result' in fresh) narrator.fact('piIsBack', fresh.result.value ?? null)
  narrator.say(`executionCount: ${session.executionCount}`)
  narrator.fact('executionCountAfterReset', session.executionCount)
}
