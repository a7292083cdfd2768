// Python as a capability of sandbox agents. Owns what it adds to an agent: the tool, and a paragraph of instructions.
import type { Capability } from '@openai/agents/sandbox'
import { type AgentPythonOptions, pythonTool } from './python-tool.js'
import { loadSandboxSdk } from './sdk.js'

/**
 * Gives a `SandboxAgent` the Python tool, in addition to its sandbox.
 *
 * @throws InstallationError if `@openai/agents` is not installed
 * @throws InvalidOptionError
 */
export async function pythonCapability(options: AgentPythonOptions): Promise<Capability> {
  const { Capability: Base } = await loadSandboxSdk()
  const tool = await pythonTool(options)
  class PythonCapability extends Base {
    readonly type = 'python'

    override tools() {
      return [tool]
    }

    override instructions() {
      return `For calculations, data and charts, call \`${tool.name}\`. Its Python is apart from the sandbox's file system: it has its own files, and keeps its variables.`
    }
  }
  return new PythonCapability()
}
