// `pythonMiddleware`: one tool that runs code, which calls the agent's other tools. Owns how the model sees it.
import type { RunnableConfig } from '@langchain/core/runnables'
import { tool } from '@langchain/core/tools'
import { type AgentMiddleware, createMiddleware } from 'langchain'
import { PYTHON_ARGUMENTS, PYTHON_TOOL_NAME } from '../presentation/python-tool.js'
import { type AgentTool, isAgentTool } from './agent-tools.js'
import { contentOf } from './content.js'
import { type PythonMiddlewareOptions, ThreadSessions } from './thread-sessions.js'

const DESCRIPTION =
  'Runs Python code. Variables, functions and imports stay for later calls; the value of the last expression is shown.'

/**
 * Middleware for `createAgent` with the tool `run_python`. Each thread (`configurable.thread_id`) has its own session, which the manager's
 * store keeps under an id derived from the thread's. The system message tells the model what the session provides.
 *
 * @throws InvalidOptionError
 */
export function pythonMiddleware(options: PythonMiddlewareOptions): AgentMiddleware {
  const sessions = new ThreadSessions(options)
  const run = async ({ code }: { code: string }, config: RunnableConfig) => {
    const thread = await sessions.of(config.configurable?.thread_id)
    const outcome = await thread.run(code, config)
    return [contentOf(outcome), outcome.structured]
  }
  const runPython = tool(run as never, {
    name: PYTHON_TOOL_NAME,
    description: DESCRIPTION,
    schema: PYTHON_ARGUMENTS,
    responseFormat: 'content_and_artifact',
  })
  return createMiddleware({
    name: 'PythonMiddleware',
    tools: [runPython as never],
    // Middleware of LangChain cannot replace a tool, so what changes between turns goes into the system message.
    wrapModelCall: async (request, handler) => {
      const thread = await sessions.of(request.runtime.configurable?.thread_id)
      const isCallable = (one: unknown): one is AgentTool => isAgentTool(one) && sessions.isCallable(one.name)
      thread.agentTools = (request.tools as readonly unknown[]).filter(isCallable)
      const tools = options.hideTools ? request.tools.filter((one) => !isCallable(one)) : request.tools
      const text = `\n\n# The tool ${PYTHON_TOOL_NAME}\n\n${thread.describe()}`
      return handler({ ...request, tools, systemMessage: request.systemMessage.concat(text) })
    },
  }) as AgentMiddleware
}
