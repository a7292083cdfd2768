// id: snapshot-head-description-number
// title: a head whose description is a number
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open, pack } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, description: pack(5) } })
}
