// id: snapshot-head-files
// title: a head that claims a million files
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { head, ...rest } = open(bytes)
  return join({
    ...rest,
    head: { ...head, files: Array.from({ length: 1_000_000 }, (_, n) => [`/tmp/${n}`, n]) },
  })
}
