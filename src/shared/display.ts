// Owns the type of a display, which results, listeners and errors share.

import type { Bytes } from './bytes.js'

/** One display: its representations by MIME type, as text, or as bytes for binary types. */
export type Display = Readonly<Record<string, string | Bytes>>
