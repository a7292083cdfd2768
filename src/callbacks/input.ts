// `input()` and `getpass()`: a host call with a reserved name, answered by the session's `onInput` instead of a callback. Owns the name and
// the form of prompts and answers.
import { describeValue } from '../shared/describe-value.js'
import { pythonError } from './answers.js'
import type { CallContext, ResolvedCallback } from './callbacks.js'
import { anyArguments } from './schema.js'

/** A builtin of Python, so no callback can have this name (workers/kernel/_brumate/reading.py). */
export const INPUT = 'input'

// biome-ignore lint/suspicious/noExplicitAny: session.ts has the public type of the context
type OnInput = (prompt: string, context: any) => unknown

/** Wraps `onInput` as a callback with that name. */
export function resolveInput(onInput: OnInput | undefined): ResolvedCallback | undefined {
  if (onInput === undefined) return undefined
  return {
    name: INPUT,
    description: '',
    parameters: anyArguments(),
    fn: async ({ prompt, password }, context: CallContext<never>) => {
      const inputContext = {
        session: context.session,
        get signal() {
          return context.signal
        },
        suspend: context.suspend,
        password: password === true,
      }
      const line = await onInput(typeof prompt === 'string' ? prompt : '', inputContext)
      if (line === undefined || line === null) throw endOfInput()
      if (typeof line === 'string') return line
      throw pythonError('TypeError', `onInput must return a string or null, got ${describeValue(line)}`)
    },
  }
}

export function endOfInput(): Error {
  return pythonError('EOFError', 'EOF when reading a line')
}
