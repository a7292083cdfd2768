// The shape of a display, which results, listeners and errors share.

import type { Bytes } from './bytes.js'

/** One display: text, or bytes for binary types, by MIME type. */
export type Display = Readonly<Record<string, string | Bytes>>
