// Validates the arguments of `manager.on`.
import { isFunction, isOneOf, isSignal, known } from '../options/check.js'
import { InvalidOptionError } from '../shared/errors.js'
import { EVENT_NAMES, type ManagerEvents } from '../telemetry/events.js'

export interface Listening {
  readonly signal: AbortSignal | undefined
}

/** @throws InvalidOptionError */
export function resolveListening<Name extends keyof ManagerEvents>(
  event: Name,
  listener: (event: ManagerEvents[Name]) => void,
  options: { readonly signal?: AbortSignal } | undefined,
): Listening {
  const names: readonly (keyof ManagerEvents)[] = EVENT_NAMES
  if (isOneOf('event', event, names as readonly Name[]) === undefined)
    throw new InvalidOptionError('event', EVENT_NAMES.map((name) => JSON.stringify(name)).join(' or '), event)
  if (isFunction('listener', listener) === undefined)
    throw new InvalidOptionError('listener', 'a function', listener)
  const given = options === undefined ? {} : options
  known('options', given, ['signal'])
  return { signal: isSignal('signal', given.signal) }
}
