// A shop's agent on the OpenAI Agents SDK. Its model writes Python that calls the agent's tools. A human has to approve the code before it
// runs, and any refund that the code asks for.
//
// In a clone, after `npm run build`: `node examples/run.mjs openai-agents`. With OPENAI_API_KEY a real model writes the code.
import { Agent, MemorySession, run, setTracingDisabled, tool } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import { MemoryStore, SessionManager } from 'brumate'
import { pythonTool } from 'brumate/openai-agents'
import { z } from 'zod'

const isReal = process.env.OPENAI_API_KEY !== undefined
setTracingDisabled(!isReal)

const orders = tool({
  name: 'orders',
  description: 'The orders of a customer, with their totals.',
  parameters: z.object({ customer: z.string() }),
  execute: ({ customer }) => [3, 4, 11].map((total, i) => ({ id: `${customer}-${i}`, total })),
})
const refund = tool({
  name: 'refund',
  description: 'Refunds an amount.',
  parameters: z.object({ order: z.string(), amount: z.number() }),
  needsApproval: true,
  execute: ({ order, amount }) => `refunded ${amount} for ${order}`,
})

// With a store that processes share, conversations survive restarts; see docs/stores.md.
await using manager = await SessionManager.create({ slots: 2, store: new MemoryStore() })
const session = await manager.getOrCreate('chat-1', { limits: { callbackTimeoutMs: 60_000 } })
const python = await pythonTool({ session, tools: [orders, refund], needsApproval: true })
const model = new ScriptedModel()
const agent = new Agent({
  name: 'Shop',
  instructions: 'Answer by running Python.',
  tools: [python],
  ...(isReal ? {} : { model }),
})
const history = new MemorySession()

await ask('How much did Ada pay?', "paid = await tools.orders(customer='ada')\nsum(o['total'] for o in paid)")
await ask(
  'Refund her largest order.',
  "largest = max(paid, key=lambda o: o['total'])\nawait tools.refund(largest['id'], largest['total'])",
)
for (const { id, name, args } of session.pending) {
  console.log(`a human approves: ${name} ${JSON.stringify(args)}`)
  const { text } = await python.resume({ approvals: { [id]: true } })
  console.log(text)
}

/** One turn of the conversation. @param code the code that a scripted model runs */
async function ask(prompt: string, code: string): Promise<void> {
  console.log(`user: ${prompt}`)
  const callId = crypto.randomUUID()
  model.enqueue([functionCall('run_python', { code }, { callId })], [assistantMessage('Done.')])
  let result = await run(agent, prompt, { session: history })
  while (result.interruptions.length > 0) {
    for (const call of result.interruptions) {
      console.log(`a human approves: ${call.name}`)
      result.state.approve(call)
    }
    result = await run(agent, result.state, { session: history })
  }
  for (const item of result.newItems)
    if (item.type === 'tool_call_output_item')
      console.log(typeof item.output === 'string' ? item.output : '[parts]')
  console.log(`assistant: ${result.finalOutput}`)
}
