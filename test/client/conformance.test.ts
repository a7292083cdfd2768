// Runs the session tests over HTTP, to show the same behaviour. Slow ones are left out: they test the interpreter, which is the same.
import { inModes } from '../support/session-modes.js'
import { overHttp } from './support/over-http.js'

await inModes([overHttp], async () => {
  await import('../session/counting.test.js')
  await import('../session/errors.test.js')
  await import('../session/output.test.js')
  await import('../session/state.test.js')
  await import('../session/values-from-python.test.js')
  await import('../session/values-to-python.test.js')
})
