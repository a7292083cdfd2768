// id: snapshot-head-count
// title: a head whose execution count is text
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, executionCount: '__proto__' } })
}
