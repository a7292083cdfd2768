// A program as a user would write it. Prints the results from Python, or the library's error.
import { SessionManager } from 'brumate'

const { CACHE_DIR: cacheDir, IMAGE: image } = process.env
process.on('warning', (warning) => {
  console.log('warning', warning.message)
})
try {
  const manager = await SessionManager.create({
    slots: 1,
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(image === undefined ? {} : { image }),
  })
  const callbacks = { twice: { fn: ({ n }) => 2 * n, parameters: { type: 'object', required: ['n'] } } }
  const session = await manager.createSession({ callbacks })
  const { stdout } = await session.execute('print("hello from", __name__)\nprint(await twice(n=21))')
  await session.hibernate()
  console.log(`${stdout}${(await session.execute('6 * 7')).value}`)
  await manager.close()
} catch (error) {
  console.log(`${error.name} ${error.code}: ${error.message}`)
}
