// id: snapshot-empty-maps
// title: a file of 24 MB of empty maps
// level: L3
// class: snapshot-files
// expect: error
// control: none the claim is a typed end, in time

import { ARRAY, EMPTY_MAP, many } from '../../support/forge.mjs'

export default () => many(ARRAY, 24_000_000, EMPTY_MAP)
