// id: snapshot-body-of-another
// title: the body of a snapshot under the head of an empty one
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { join, open } from '../../support/forge.mjs'

export default ({ bytes, empty }) => join({ ...open(empty), body: open(bytes).body })
