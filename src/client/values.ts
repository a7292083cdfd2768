// Encodes values for the server and decodes its answers. shared/values/json.ts has the formats; shared/values/encode.ts decides which values
// have a Python counterpart, as in the library.
import type { WireDisplay, WirePending } from '../presentation/wire.js'
import type { Display } from '../shared/display.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { encodeValue } from '../shared/values/encode.js'
import { fromJson, type Json, toJson } from '../shared/values/json.js'
import type { Value } from '../shared/values/value.js'

/** @throws ConversionError that names the place inside the value without a Python counterpart */
export function encodeInput(value: unknown, name: string): Json {
  // Only for its errors, which are those of the library: the server would report others, and only after the value was sent.
  encodeValue(value, name)
  return toJson(value)
}

export function decodeValue(json: unknown): Value {
  return fromJson(json) as Value
}

export function decodeDisplay(display: WireDisplay): Display {
  return fromJson(display) as Display
}

export function decodePending({ id, name, args, reason }: WirePending): PendingCall {
  const values = fromJson(args) as PendingCall['args']
  return { id, name, args: values, ...(reason !== undefined && { reason }) }
}
