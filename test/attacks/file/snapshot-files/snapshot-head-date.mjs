// id: snapshot-head-date
// title: a head with a date beyond the largest possible
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({ ...rest, head: { ...head, createdAtMs: 1e308 } })
}
