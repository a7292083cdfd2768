// A shop's assistant on the Anthropic SDK. Its model writes Python that calls other runnable tools; a refund waits for a human.
//
// In a clone, after `npm run build`: `node examples/run.mjs anthropic`. With ANTHROPIC_API_KEY a real model writes the code; otherwise a
// scripted server on this machine stands in for it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { MemoryStore, SessionManager } from 'brumate'
import { pythonTool } from 'brumate/anthropic'

const string = { type: 'string' } as const
const orders = betaTool({
  name: 'orders',
  description: "The totals of a customer's orders, as JSON.",
  inputSchema: { type: 'object', properties: { customer: string }, required: ['customer'] },
  run: () => JSON.stringify([3, 4, 11]),
})
const refund = betaTool({
  name: 'refund',
  description: 'Refunds an amount.',
  inputSchema: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] },
  run: ({ amount }) => `refunded ${amount}`,
})

const isReal = process.env.ANTHROPIC_API_KEY !== undefined
const script = [
  "import json\npaid = json.loads(await tools.orders(customer='ada'))\nsum(paid)",
  'await tools.refund(amount=max(paid))',
]
const server = createServer(async (request, response) => {
  const { messages } = JSON.parse(await text(request))
  // After a tool's result it says that it is done.
  const isAsked = typeof messages.at(-1).content === 'string'
  const content = isAsked
    ? { type: 'tool_use', id: crypto.randomUUID(), name: 'run_python', input: { code: script.shift() } }
    : { type: 'text', text: 'Done.' }
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      ...{
        id: crypto.randomUUID(),
        type: 'message',
        role: 'assistant',
        model: 'scripted',
        content: [content],
      },
      stop_reason: isAsked ? 'tool_use' : 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    }),
  )
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const client = isReal
  ? new Anthropic()
  : new Anthropic({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}` })

// With a store that processes share, conversations survive restarts; see docs/stores.md.
await using manager = await SessionManager.create({ slots: 2, store: new MemoryStore() })
const session = await manager.getOrCreate('chat-1', { limits: { callbackTimeoutMs: 60_000 } })
const python = await pythonTool({
  session,
  tools: [orders, refund],
  needsApproval: ({ name }) => name === 'refund',
})
const history: Anthropic.Beta.BetaMessageParam[] = []

await ask('How much did Ada pay?')
await ask('Refund her largest order.')
for (const { id, name, args } of session.pending) {
  console.log(`a human approves: ${name} ${JSON.stringify(args)}`)
  const { text } = await python.resume({ approvals: { [id]: true } })
  console.log(text)
}
server.close()
server.closeAllConnections()

async function ask(prompt: string): Promise<void> {
  console.log(`user: ${prompt}`)
  const runner = client.beta.messages.toolRunner({
    ...{ model: process.env.ANTHROPIC_MODEL ?? 'claude-sonnet-5-5', max_tokens: 4096, tools: [python] },
    messages: [...history, { role: 'user', content: prompt }],
  })
  for await (const message of runner) {
    const results = await runner.generateToolResponse()
    for (const part of message.content) if (part.type === 'text') console.log(`assistant: ${part.text}`)
    for (const part of results?.content ?? [])
      if (typeof part === 'object' && part.type === 'tool_result') console.log(JSON.stringify(part.content))
  }
  history.splice(0, history.length, ...runner.params.messages)
}
