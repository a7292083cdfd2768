// id: exit-code
// title: a worker that exits with a code
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

export default ({ process }) => process.exit(1)
