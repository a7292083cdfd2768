// `pythonTool`: Python as a tool of LangChain, for agents without the middleware. Owns only its form; PythonTool runs the code.
import { type DynamicStructuredTool, tool } from '@langchain/core/tools'
import {
  PYTHON_ARGUMENTS,
  PYTHON_TOOL_NAME,
  PythonTool,
  type PythonToolOptions,
} from '../presentation/python-tool.js'
import { contentOf } from './content.js'

/**
 * A tool `run_python`, all of whose calls use the same session. Its artifact is the outcome as JSON.
 *
 * @throws InvalidOptionError
 */
export function pythonTool(options: PythonToolOptions): DynamicStructuredTool {
  const python = new PythonTool(options)
  const run = async ({ code }: { code: string }, { signal }: { signal?: AbortSignal }) => {
    const outcome = await python.run(code, { signal })
    return [contentOf(outcome), outcome.structured]
  }
  return tool(run as never, {
    name: PYTHON_TOOL_NAME,
    description: python.describe(),
    schema: PYTHON_ARGUMENTS,
    responseFormat: 'content_and_artifact',
  }) as unknown as DynamicStructuredTool
}
