// id: snapshot-body-flipped
// title: a body with every hundredth byte changed, and matching checksums
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => {
  const { body, ...rest } = open(bytes)
  return join({ ...rest, body: body.map((byte, at) => (at % 100 === 0 ? byte ^ 0xff : byte)) })
}
