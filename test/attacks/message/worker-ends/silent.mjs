// id: silent
// title: a worker that never answers
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 100

import { forever } from '../../support/wire.mjs'

export default () => forever()
