// id: snapshot-head-of-arrays
// title: a head that is 8 MB of empty arrays, with a matching checksum
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { ARRAY, EMPTY_ARRAY, join, many, open } from '../../support/forge.mjs'

export default ({ bytes }) => join({ ...open(bytes), head: many(ARRAY, 8_000_000, EMPTY_ARRAY) })
