// id: snapshot-arrays-in-the-document
// title: a document of six members of which the first is 24 MB of empty arrays
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { ARRAY, EMPTY_ARRAY, many, NIL } from '../../support/forge.mjs'

/** An array of six. */
const SIX = Buffer.from([0x96])

export default () => Buffer.concat([SIX, many(ARRAY, 24_000_000, EMPTY_ARRAY), ...Array(5).fill(NIL)])
