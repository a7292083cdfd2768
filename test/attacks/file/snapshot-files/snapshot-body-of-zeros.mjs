// id: snapshot-body-of-zeros
// title: a body that is 64 MB of zeros
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => join({ ...open(bytes), body: Buffer.alloc(64_000_000) })
