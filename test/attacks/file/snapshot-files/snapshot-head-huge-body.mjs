// id: snapshot-head-huge-body
// title: a head that claims a body that unpacks to 2^53 - 1 bytes
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, rawBytes: Number.MAX_SAFE_INTEGER } })
}
