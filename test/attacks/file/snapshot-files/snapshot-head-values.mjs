// id: snapshot-head-values
// title: a head whose values are 8 MB of empty arrays
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { ARRAY, EMPTY_ARRAY, join, many, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, values: many(ARRAY, 8_000_000, EMPTY_ARRAY) } })
}
