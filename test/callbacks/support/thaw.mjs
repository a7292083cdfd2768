// A process that continues suspended executions: restores a snapshot, resumes it with answers, runs it to its end or to the next
// suspension, and reports the outcome. Tools that are answered directly are called in the parent process.
import process from 'node:process'

const { dist, cacheDir } = JSON.parse(process.argv[2])
const { PythonError, SessionManager } = await import(new URL('src/index.js', dist).href)
const manager = await SessionManager.create({ cacheDir, slots: 2 })
const asked = new Map()
let lastCall = 0

function ask(name, args) {
  return new Promise((resolve) => {
    asked.set(++lastCall, resolve)
    process.send({ call: lastCall, name, args })
  })
}

async function goOn({ bytes, answers, tools }) {
  const callbacks = Object.fromEntries(
    tools.map(({ name, onTheSpot, ...shown }) => [
      name,
      {
        ...shown,
        fn: (args, { suspend }) => (onTheSpot ? ask(name, args) : suspend(`${name} waits`)),
      },
    ]),
  )
  const session = await manager.createSession({
    from: bytes,
    tenant: 'thawed',
    checkpoint: 'manual',
    callbacks,
  })
  try {
    const errors = Object.entries(answers.errors).map(([id, { name, message }]) => [
      id,
      Object.assign(new Error(message), { name }),
    ])
    const { status, stdout, stderr, value, pending } = await session.resume({
      results: answers.results,
      errors: Object.fromEntries(errors),
    })
    const frozen = status === 'suspended' ? (await session.snapshotState()).toBytes() : undefined
    return { ended: { status, stdout, stderr, value, pending }, bytes: frozen }
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
    const { type, message, stdout, stderr } = error
    return { ended: { status: 'failed', stdout, stderr, error: { type, message } } }
  } finally {
    await session.close()
  }
}

process.on('disconnect', () => process.exit())
process.on('message', async (message) => {
  if (message.call === undefined) return process.send(await goOn(message))
  asked.get(message.call)(message.value)
  asked.delete(message.call)
})
