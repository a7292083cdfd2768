// id: snapshot-garbage
// title: a file of random bytes
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { randomBytes } from 'node:crypto'

export default () => randomBytes(1_000_000)
