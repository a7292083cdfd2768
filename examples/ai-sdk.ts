// A shop's assistant on the AI SDK. Its model writes Python that calls the SDK's tools. A refund waits for a human, and any process could
// continue after the answer.
//
// In a clone, after `npm run build`: `node examples/run.mjs ai-sdk`. With AI_GATEWAY_API_KEY a real model writes the code; AI_MODEL names it.
import { generateText, isStepCount, type LanguageModel, type ModelMessage, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { MemoryStore, SessionManager } from 'brumate'
import { pythonTool } from 'brumate/ai-sdk'
import { z } from 'zod'

const orders = tool({
  description: 'The orders of a customer, with their totals.',
  inputSchema: z.object({ customer: z.string() }),
  execute: ({ customer }) => [3, 4, 11].map((total, i) => ({ id: `${customer}-${i}`, total })),
})
const refund = tool({
  description: 'Refunds an amount.',
  inputSchema: z.object({ order: z.string(), amount: z.number() }),
  needsApproval: true,
  execute: ({ order, amount }) => `refunded ${amount} for ${order}`,
})

// With a store that processes share, conversations survive restarts; see docs/stores.md.
await using manager = await SessionManager.create({ slots: 2, store: new MemoryStore() })
const session = await manager.getOrCreate('chat-1', { limits: { callbackTimeoutMs: 60_000 } })
const python = await pythonTool({ session, tools: { orders, refund } })
const messages: ModelMessage[] = []

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
  messages.push({ role: 'user', content: prompt })
  const { steps, text, response } = await generateText({
    model: process.env.AI_GATEWAY_API_KEY ? (process.env.AI_MODEL ?? 'openai/gpt-5') : scripted(code),
    tools: { python },
    stopWhen: [isStepCount(10), () => session.pending.length > 0],
    messages,
  })
  messages.push(...response.messages)
  for (const { toolResults } of steps)
    for (const result of toolResults) if (!result.dynamic) console.log(result.output.text)
  if (text !== '') console.log(`assistant: ${text}`)
}

/** Runs the code, and then says `Done.` */
function scripted(code: string): LanguageModel {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  }
  const input = JSON.stringify({ code })
  return new MockLanguageModelV4({
    doGenerate: [
      {
        content: [{ type: 'tool-call', toolCallId: crypto.randomUUID(), toolName: 'python', input }],
        finishReason: { unified: 'tool-calls', raw: undefined },
        ...{ usage, warnings: [] },
      },
      {
        content: [{ type: 'text', text: 'Done.' }],
        finishReason: { unified: 'stop', raw: undefined },
        ...{ usage, warnings: [] },
      },
    ],
  })
}
