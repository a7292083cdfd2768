// id: snapshot-head-reasons
// title: a head whose reasons have prototype keys
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, reasons: { constructor: 'x', toString: 'y', '-1': 'z' } } })
}
