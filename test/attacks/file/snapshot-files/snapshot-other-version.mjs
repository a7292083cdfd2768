// id: snapshot-other-version
// title: a snapshot of another format version
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes }) => join({ ...open(bytes), version: 2 ** 31 })
