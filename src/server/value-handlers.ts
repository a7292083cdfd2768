// Handlers of variables and snapshots.
import { ReadableStream } from 'node:stream/web'
import { wireValue } from '../presentation/wire-execution.js'
import type { Value } from '../shared/values/value.js'
import { readBody } from './bodies.js'
import { RequestProblem } from './problems.js'
import type { Routes } from './routes.js'
import type { App, Services } from './services.js'
import { exactValue, opening } from './session-handlers.js'
import { streamResponse } from './stream-response.js'

export function valueHandlers(app: App, routes: Routes, { sessions, storedBytes, options }: Services): void {
  app.openapi(routes.getVariable, async (c) => {
    const { id, name } = c.req.valid('param')
    const { values = 'json' } = c.req.valid('query')
    const value = await sessions.use(c.get('caller').tenant, id, opening(c), (session) => session.get(name))
    return c.json({ value: wireValue(value, values) }, 200) as never
  })

  app.openapi(routes.setVariable, async (c) => {
    const { id, name } = c.req.valid('param')
    const { value, values } = c.req.valid('json')
    if (value === undefined) throw new RequestProblem(400, 'VALIDATION', 'json value: expected a value')
    await storedBytes.require(c.get('caller').tenant, c.get('caller').account)
    const given = values === 'exact' ? exactValue(value) : value
    await sessions.use(c.get('caller').tenant, id, opening(c), (session) => session.set(name, given as Value))
    return c.body(null, 204)
  })

  app.openapi(routes.getSnapshot, async (c) => {
    const { id } = c.req.valid('param')
    const { tenant } = c.get('caller')
    const snapshot = await sessions.use(tenant, id, opening(c), (session) => session.snapshotState())
    const chunks = snapshot.chunks()
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { done, value } = chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    })
    return streamResponse(stream, {
      headers: {
        'content-type': 'application/vnd.brumate.snapshot',
        'content-length': String(snapshot.size),
        'content-disposition': `attachment; filename="${id}.snapshot"`,
      },
    }) as never
  })

  app.openapi(routes.putSnapshot, async (c) => {
    const { id } = c.req.valid('param')
    const { tenant } = c.get('caller')
    await storedBytes.require(tenant, c.get('caller').account)
    const salvage = c.req.valid('query').salvage === 'true'
    const bytes = new Uint8Array(await readBody(c, options.maxUploadBytes))
    const lostGlobals = await sessions.use(tenant, id, opening(c), (session) =>
      session.restoreState(bytes, { salvage }),
    )
    return c.json({ lostGlobals }, 200)
  })
}
