// Chapter on snapshots: a session in the middle of its work is saved as bytes, inspected without an interpreter, and restored in another
// session, which is independent from then on.
import { type SessionManager, Snapshot } from 'brumate'
import type { Narrator } from './narrator.js'

export async function freezing(manager: SessionManager, narrator: Narrator): Promise<void> {
  narrator.chapter('A session is a few kilobytes')
  await using session = await manager.createSession()
  await narrator.run(
    session,
    `
class Queue:
    def __init__(self, *guests):
        self.guests = list(guests)

    def __iter__(self):
        while self.guests:
            yield self.guests.pop(0)

queue = Queue('Ada', 'Grace', 'Barbara')
coming = iter(queue)
book = open('guests.txt', 'w')
book.write(next(coming))`,
  )
  const bytes = (await session.snapshotState()).toBytes()
  narrator.say(
    `Frozen, with its generator in the middle and its file open and not flushed: ${bytes.length.toLocaleString('en')} bytes.`,
    'They say what is in them, without an interpreter:',
    '',
  )
  const snapshot = Snapshot.fromBytes(bytes)
  const { globals, files, executionCount, pythonVersion } = snapshot.manifest
  for (const { name, type, repr } of globals) narrator.say(`${name.padEnd(7)} ${type.padEnd(14)} ${repr}`)
  narrator.say(
    ...files.map(({ path, sizeBytes }) => `${path}, ${sizeBytes} bytes`),
    `Python ${pythonVersion}, after ${executionCount} execution`,
    '',
  )
  narrator.fact('snapshotBytes', bytes.length)
  narrator.fact(
    'snapshotGlobals',
    globals.map(({ name, type }) => `${name}: ${type}`),
  )
  narrator.fact(
    'snapshotFiles',
    files.map(({ path }) => path),
  )

  const startedMs = performance.now()
  await using fork = await manager.createSession({ from: snapshot })
  const durationMs = performance.now() - startedMs
  narrator.say(
    `Thawed in another session after ${Math.round(durationMs)} ms, which goes on where the first one was:`,
    '',
  )
  const thawed = await narrator.run(
    fork,
    `
book.write(', ' + ', '.join(coming))
book.close()
open('guests.txt').read()`,
  )
  if ('result' in thawed) narrator.fact('thawedBook', thawed.result.value ?? null)
  narrator.say('The first one has not noticed:', '')
  const first = await narrator.run(session, 'queue.guests')
  if ('result' in first) narrator.fact('guestsOfTheFirst', first.result.value ?? null)
}
