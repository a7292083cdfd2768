// Python as a tool of real agents of the OpenAI Agents SDK, with its scripted model.
import { rm } from 'node:fs/promises'
import { Agent, RunState, run, setTracingDisabled, tool } from '@openai/agents'
import { SandboxAgent } from '@openai/agents/sandbox'
import { UnixLocalSandboxClient } from '@openai/agents/sandbox/local'
import { assistantMessage, functionCall, ScriptedModel, scriptedSandboxSession } from '@openai/agents/testing'
import { MemoryStore, type SessionOptions, StoreError } from 'brumate'
import { pythonCapability, pythonTool, WorkspaceStore } from 'brumate/openai-agents'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { managerForTest } from '../support/manager.js'
import { sharedManager } from '../support/shared-manager.js'

beforeAll(() => setTracingDisabled(true))

/** A model that calls the tool with each code in turn, then says `done`. */
function scripted(...codes: readonly string[]): ScriptedModel {
  const calls = codes.map((code, i) => [functionCall('run_python', { code }, { callId: `call-${i}` })])
  return new ScriptedModel([...calls, [assistantMessage('done')]])
}

async function session(options: SessionOptions = {}) {
  const made = await (await sharedManager({ slots: 2 })).createSession(options)
  onTestFinished(() => made.close())
  return made
}

/** Outputs of all tool calls, as the model received them. */
function outputsOf({ lastCall }: ScriptedModel): unknown[] {
  const input = lastCall?.request.input
  if (!Array.isArray(input)) return []
  return input.flatMap((item) => (item.type === 'function_call_result' ? [item.output] : []))
}

test('an agent runs code in one session and reads output, values, errors and figures', async () => {
  const python = await pythonTool({ session: await session() })
  const model = scripted(
    'x = 41\nprint("hi")\nx + 1',
    'class P:\n    def _repr_png_(self): return b"\\x89PNG"\nx += 1\nP()',
    'x / 0',
  )
  const { finalOutput } = await run(new Agent({ name: 'a', model, tools: [python] }), 'go')
  expect(finalOutput).toBe('done')
  const [first, second, third] = outputsOf(model)
  expect(first).toEqual({ type: 'text', text: 'hi\n[value]\n42' })
  expect(JSON.stringify(second)).toContain('iVBORw==')
  expect(third).toMatchObject({ text: expect.stringMatching(/ZeroDivisionError: division by zero$/) })
  expect(model.firstCall?.request.tools[0]).toMatchObject({
    name: 'run_python',
    description: expect.stringContaining('Python 3.14'),
    parameters: { required: ['code'] },
  })
})

test('code can call the agent’s tools, with the context of the run', async () => {
  const stock = tool({
    name: 'stock',
    description: 'Units in stock.',
    parameters: z.object({ product: z.string() }),
    execute: ({ product }, context) => ({
      product,
      user: (context?.context as { user?: string } | undefined)?.user,
    }),
  })
  const broken = tool({
    ...{ name: 'list', description: '', parameters: z.object({}), errorFunction: null },
    execute: () => {
      throw new Error('it broke')
    },
  })
  const python = await pythonTool({ session: await session(), tools: [stock, broken] })
  expect(python.description).toContain('async def stock(product: str) -> Any:')
  const model = scripted('await tools.stock("a")', 'await tools.tool_list()')
  await run(new Agent({ name: 'a', model, tools: [python] }), 'go', { context: { user: 'ada' } })
  const [first, second] = outputsOf(model)
  expect(first).toMatchObject({ text: "{'product': 'a', 'user': 'ada'}" })
  expect(second).toMatchObject({ text: expect.stringContaining('it broke') })
})

test('tools with guardrails are rejected, because calls from Python would bypass them', async () => {
  const guard = { name: 'g', run: async () => ({ behavior: { type: 'allow' as const } }) }
  const guarded = tool({
    ...{ name: 'pay', description: '', parameters: z.object({}), inputGuardrails: [guard] },
    execute: () => 1,
  })
  const refused = pythonTool({ session: await session(), tools: [guarded] })
  await expect(refused).rejects.toThrow(/tools\[0\]: pay has guardrails/)
})

test('a run is interrupted to approve code, and can be resumed from its serialized state', async () => {
  const python = await pythonTool({
    session: await session(),
    needsApproval: async (_, { code }) => code !== '1',
  })
  const model = scripted('1', '6 * 7')
  const agent = new Agent({ name: 'a', model, tools: [python] })
  const first = await run(agent, 'go')
  expect(first.interruptions).toMatchObject([{ name: 'run_python' }])
  const state = await RunState.fromString(agent, first.state.toString())
  for (const item of state.getInterruptions()) state.approve(item)
  expect((await run(agent, state)).finalOutput).toBe('done')
  expect(outputsOf(model)).toMatchObject([{ text: '1' }, { text: '42' }])
})

test('a call that needs approval suspends the code, and another process can resume it', async () => {
  const refunds: unknown[] = []
  const refund = tool({
    ...{ name: 'refund', description: 'Refunds an order.', parameters: z.object({ order: z.number() }) },
    needsApproval: async (_, { order }) => order > 1,
    execute: ({ order }) => refunds.push(order),
  })
  const store = new MemoryStore()
  const code = 'done = []\nfor order in [1, 2, 3]:\n    done.append(await tools.refund(order))\ndone'
  const first = await managerForTest({ slots: 1, store })
  const one = await first.createSession({ id: 'chat-1' })
  const model = scripted(code)
  const python = await pythonTool({ session: one, tools: [refund] })
  await run(new Agent({ name: 'a', model, tools: [python] }), 'go')
  expect(outputsOf(model)).toMatchObject([{ text: '[waiting] refund has no answer yet: it needs approval' }])
  expect(refunds).toEqual([1])
  await first.close()

  const second = await managerForTest({ slots: 1, store })
  const two = await second.openSession('chat-1')
  const again = await pythonTool({ session: two, tools: [refund] })
  const idOf = () => two.pending[0]?.id ?? ''
  const next = await again.resume({ approvals: { [idOf()]: true } })
  expect(next.structured).toMatchObject({ status: 'suspended', pending: [{ args: { order: 3 } }] })
  const last = await again.resume({ approvals: { [idOf()]: false } })
  expect(last).toMatchObject({ isError: true, structured: { error: { type: 'PermissionError' } } })
  expect(refunds).toEqual([1, 2])
})

test('a sandbox agent can have Python as a capability besides those of its sandbox', async () => {
  const capability = await pythonCapability({ session: await session() })
  const model = scripted('1 + 1')
  const agent = new SandboxAgent({ name: 'a', model, capabilities: [capability] })
  const { finalOutput } = await run(agent, 'go', { sandbox: { session: scriptedSandboxSession([]) } })
  expect(finalOutput).toBe('done')
  expect(outputsOf(model)).toMatchObject([{ text: '2' }])
  expect(model.firstCall?.request.systemInstructions).toContain('call `run_python`')
})

test('a sandbox saves its workspace in a WorkspaceStore and can be restored from it', async () => {
  const store = new WorkspaceStore({ store: new MemoryStore() })
  const client = () =>
    new UnixLocalSandboxClient({ snapshot: { type: 'remote', store, metadata: { chat: '1' } } })
  const made = await client().create()
  await made.materializeEntry?.({ path: 'a.txt', entry: { type: 'file', content: 'kept' } })
  const state = JSON.parse(JSON.stringify(await client().serializeSessionState(made.state)))
  await rm(made.state.workspaceRootPath, { recursive: true })
  const restored = await client().resume(
    await client().deserializeSessionState({ ...state, manifest: made.state.manifest }),
  )
  onTestFinished(async () => restored.close?.())
  expect(String(await restored.readFile?.({ path: 'a.txt' }))).toBe('kept')
})

test('a WorkspaceStore returns bytes and metadata unchanged, and rejects missing or damaged workspaces', async () => {
  const entries = new MemoryStore()
  const store = new WorkspaceStore({ store: entries, prefix: 'w/' })
  const data = new Uint8Array([1, 2, 3])
  const { id } = await store.save({ data, metadata: { chat: 'ü' } })
  expect(await store.load({ id })).toEqual({ data, metadata: { chat: 'ü' } })
  await store.save({ id, data: new Uint8Array() })
  expect(await store.load({ id })).toEqual({ data: new Uint8Array() })
  await store.delete({ id })
  expect(await store.exists({ id })).toBe(false)
  await expect(store.load({ id })).rejects.toThrow(/there is no workspace/)
  const record = { tenant: 't', imageId: 'i', labels: {}, executionCount: 0 }
  for (const [i, bytes] of [[9], [0, 0, 0, 9, 1], [0, 0, 0, 1, 123]].entries()) {
    await entries.put(`w/${i}`, new Uint8Array(bytes), record, { generation: 0 })
    const error = await store.load({ id: `${i}` }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(StoreError)
    expect(error.reason).toBe('damaged')
  }
})
