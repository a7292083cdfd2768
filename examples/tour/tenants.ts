// Chapter on concurrent sessions: four sessions of two tenants, each with its own interpreter and variables.
import type { Session, SessionManager } from 'brumate'
import type { Narrator } from './narrator.js'

const WORK = `
total = 0
for n in range(300_000):
    total += n % seed
(whose, total)`

export async function tenants(manager: SessionManager, narrator: Narrator): Promise<void> {
  narrator.chapter('Four sessions of two tenants at once')
  narrator.say('Every session has an interpreter of its own, which no other session has touched:', '')
  const startedMs = performance.now()
  const sessions = await Promise.all(
    ['red', 'red', 'blue', 'blue'].map((tenant, i) =>
      manager.createSession({ id: `${tenant}-${i + 1}`, tenant }),
    ),
  )
  const answers = await Promise.all(sessions.map((session, i) => work(session, i)))
  for (const { id, repr } of answers) narrator.say(`${id.padEnd(7)} → ${repr}`)
  narrator.say('', `Created and computed, all four, in ${Math.round(performance.now() - startedMs)} ms.`)
  narrator.fact('tenants', Object.fromEntries(answers.map(({ id, repr }) => [id, repr])))
  await Promise.all(sessions.map((session) => session.close()))
}

async function work(session: Session, index: number): Promise<{ id: string; repr: string }> {
  await session.set('seed', index + 3)
  await session.execute(`whose = ${JSON.stringify(session.id)}`)
  const { repr = 'nothing' } = await session.execute(WORK)
  return { id: session.id, repr }
}
