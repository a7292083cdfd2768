// LibreChat's tools as Python functions. Owns their Python names, which LibreChat tells the model: `-` becomes `_`, a keyword gets `_tool`.
import { faultOfName } from '../../callbacks/names.js'
import type { Callbacks } from '../../session.js'
import { isKeyword } from '../../shared/python-keywords.js'
import type { ToolDefinition } from './requests.js'

export interface ToolName {
  readonly tool: string
  /** The name that the code calls. */
  readonly python: string
  /** The name of the callback, which must not be the name of a builtin. */
  readonly callback: string
}

export function toolNames(tools: readonly ToolDefinition[]): ToolName[] {
  return tools.map(({ name }, index) => {
    const word = name.replaceAll(/[-\s]/g, '_').replaceAll(/[^A-Za-z0-9_]/g, '')
    const start = /^\d/.test(word) ? `_${word}` : word
    const python = start === '' ? `tool_${index}` : isKeyword(start) ? `${start}_tool` : start
    return { tool: name, python, callback: faultOfName(python) === undefined ? python : `tool_${index}_call` }
  })
}

/** Callbacks that suspend every call, so that LibreChat can answer it. */
export function toolCallbacks(names: readonly ToolName[], tools: readonly ToolDefinition[] = []): Callbacks {
  return Object.fromEntries(
    names.map(({ callback, tool }) => {
      const description = tools.find(({ name }) => name === tool)?.description
      const fn = (_: unknown, { suspend }: { suspend(): never }) => suspend()
      return [callback, description === undefined ? { fn } : { fn, description }]
    }),
  )
}

/** Python code that makes callbacks available under the names that the model knows. */
export function aliases(names: readonly ToolName[]): string {
  return names
    .filter(({ python, callback }) => python !== callback)
    .map(({ python, callback }) => `${python} = ${callback}\n`)
    .join('')
}
