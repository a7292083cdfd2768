// id: snapshot-head-negative-memory
// title: a head that claims a negative size of memory
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, memoryBytes: -65_536 } })
}
