// id: snapshot-head-description
// title: a head whose description is 4 MB of empty arrays
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { ARRAY, EMPTY_ARRAY, join, many, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, description: many(ARRAY, 4_000_000, EMPTY_ARRAY) } })
}
