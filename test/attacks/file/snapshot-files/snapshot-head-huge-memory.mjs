// id: snapshot-head-huge-memory
// title: a head that claims 2^53 - 1 bytes of memory
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, memoryBytes: Number.MAX_SAFE_INTEGER } })
}
