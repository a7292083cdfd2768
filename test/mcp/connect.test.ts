// Calling other MCP servers' tools from Python.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'
import { connected, structured, textOf } from './support/clients.js'

const DEMO = fileURLToPath(new URL('support/demo-server.mjs', import.meta.url))

test('Python can call other MCP servers’ tools, and reconnects when one of those servers crashes', async () => {
  const manager = await sharedManager({ slots: 2 })
  const { client, call } = await connected({
    manager,
    tenant: 'connect',
    connect: [
      {
        name: 'demo',
        command: process.execPath,
        args: [DEMO],
        env: { ...process.env, DEMO: 'yes' } as never,
      },
      `other="${process.execPath}" '${DEMO}' --clash`,
    ],
  })
  const run = async (code: string) => call('run_python', { code })
  const { tools } = await client.listTools()
  const [description] = tools.flatMap((tool) => (tool.name === 'run_python' ? [tool.description] : []))
  expect(description).toContain('async def demo_add(a: float, b: float) -> Any:\n    """Adds two numbers."""')
  expect(description).toContain('async def other_add(')
  expect(tools.find(({ name }) => name === 'run_python')?.annotations?.openWorldHint).toBe(true)

  const values = await run(`
import asyncio
await asyncio.gather(tools.demo_add(1, 2), tools.other_add(a=3, b=4), tools.demo_print(), tools.get_env(), tools.picture())`)
  expect(structured(values).value).toEqual([
    ...[{ sum: 3 }, { sum: 7 }, 'printed', 'yes'],
    [
      { type: 'text', text: 'a' },
      { type: 'image', mimeType: 'image/png', data: 'iVBORw==' },
    ],
  ])
  expect(textOf(await run('await tools.demo_add("x", 2)'))).toMatch(/TypeError: demo_add\(\) argument 'a'/)
  expect(textOf(await run('await tools.fail()'))).toMatch(/HostError: .*it went wrong/)

  const lost = await run(`
try:
    await tools.die()
except ConnectionError as error:
    print(error)
await tools.demo_add(5, 6)`)
  expect(structured(lost)).toMatchObject({
    stdout: expect.stringMatching(/connection to the MCP server demo was lost during the call/),
    value: { sum: 11 },
  })
})

test('the error for a server that fails to start names the server', async () => {
  const manager = await sharedManager({ slots: 2 })
  const refused = connected({ manager, connect: ['gone=/no/such/program'] })
  await expect(refused).rejects.toThrow(
    /the MCP server gone \(\/no\/such\/program\) cannot be started: .*ENOENT/,
  )
})
