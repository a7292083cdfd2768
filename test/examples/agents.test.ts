// The examples for agent frameworks, each with the real framework and a scripted model.
import { expect, test } from 'vitest'
import { runNode } from '../support/run-node.js'

/** Runs an example without API keys, so that it cannot call a real model. */
function example(name: string) {
  const env = { AI_GATEWAY_API_KEY: undefined, ANTHROPIC_API_KEY: undefined, OPENAI_API_KEY: undefined }
  return runNode(['examples/run.mjs', name], { env })
}

test.each(['ai-sdk', 'openai-agents', 'anthropic'])(
  '%s: code calls tools over two turns, and continues after a human has approved a call',
  async (name) => {
    const { stdout, stderr } = await example(name)
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^user: How much[\s\S]*18[\s\S]*\[waiting\] refund has no answer yet: it needs approval[\s\S]*\na human approves: refund \{.*"amount":11.*\}\n'refunded 11.*'\n$/,
    )
  },
)
