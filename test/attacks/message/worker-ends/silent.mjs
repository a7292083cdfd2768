// id: silent
// title: never answers
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 1000

import { forever } from '../../support/wire.mjs'

export default () => forever()
