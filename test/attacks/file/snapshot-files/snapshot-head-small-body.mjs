// id: snapshot-head-small-body
// title: a head that claims a body of one byte when unpacked
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, rawBytes: 1 } })
}
