// Chapter on time limits: code that can be interrupted, and code that cannot.
import { type SessionManager, TimeoutError } from 'brumate'
import type { Narrator } from './narrator.js'

export async function stopping(manager: SessionManager, narrator: Narrator): Promise<void> {
  await using session = await manager.createSession({ limits: { interruptGraceMs: 1_000 } })
  narrator.chapter('A time limit stops the code, not the session')
  const looped = await narrator.run(session, 'rounds = 0\nwhile True:\n    rounds += 1', { timeoutMs: 500 })
  if ('error' in looped && looped.error instanceof TimeoutError) {
    narrator.fact('loopOutcome', looped.error.outcome)
  }
  narrator.say('The session goes on, with what the loop had done:', '')
  const kept = await narrator.run(session, 'rounds > 1_000')
  if ('result' in kept) narrator.fact('roundsKept', kept.result.value ?? null)

  narrator.say(
    'Where C code does not listen, the worker is ended. The session goes on in another, as the last completed call left it:',
    '',
  )
  const deaf = await narrator.run(session, 'sum(range(10**12))', { timeoutMs: 500 })
  if ('error' in deaf && deaf.error instanceof TimeoutError) {
    narrator.fact('deafOutcome', deaf.error.outcome)
  }
  const after = await narrator.run(session, 'rounds > 1_000')
  if ('result' in after) narrator.fact('roundsAfterKill', after.result.value ?? null)
}
