// The sub-path `brumate/openai-agents`: Python for agents of the OpenAI Agents SDK. Owns what it exports.
export type { PythonAnswers } from '../presentation/answers.js'
export type { DescribedCall, DescribedError, DescribedOutcome } from '../presentation/outcome.js'
export type {
  ModelImage,
  ModelOutcome,
  PythonCall,
  PythonToolOptions,
  ToolSession,
} from '../presentation/python-tool.js'
export { pythonCapability } from './capability.js'
export {
  type AgentPythonOptions,
  type AgentPythonTool,
  type PythonOutput,
  pythonTool,
} from './python-tool.js'
export { WorkspaceStore, type WorkspaceStoreOptions } from './snapshot-store.js'
